// Held: the time that is left, and the card; none for what costs nothing.

import { field, h, put, say } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { now } from '../clock.js';
import { money, t } from '../words.js';
import { leaving } from './faces.js';

/** What the built-in provider takes for cards. */
const CARDS = ['ok', 'declined', 'timeout', 'late'];

/** Asked once: a shop does not change who takes its money while a page is open. */
let provider;

async function isSandbox() {
  provider ??= call('GET', '/v1/provider', {});
  try {
    return (await provider).provider === 'sandbox';
  } catch {
    provider = undefined;
    return false;
  }
}

/**
 * What the bank said last. The form may be gone meanwhile: while it is paid, that is what the ticket says. `soon` are the seconds
 * that were left when the buyer was told that they are few.
 */
const bank = { reservation: null, words: '', soon: 0 };

function said(problem) {
  if (problem.kind === 'conflict') return t('pay.goes_back');
  const { tries_left: n } = problem.facts ?? {};
  if (n === undefined) return problem.words;
  return `${problem.words} ${n ? t('pay.tries_left', { n }) : t('pay.no_tries_left')}`;
}

/** When less time than this is left to pay, the buyer is told, once. */
export const soonMs = ({ hold_ms }) => Math.min(60_000, hold_ms / 3);

export function paying({ sale, standing, was }, acts) {
  const { reservation_id } = standing;
  if (bank.reservation !== reservation_id) Object.assign(bank, { reservation: reservation_id, words: '', soon: 0 });
  if (was === 'paying' && !bank.words) bank.words = t('pay.void');
  const price = money({ ...sale.price, minor: sale.price.minor * standing.quantity });
  const input = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', maxlength: 100, class: 'code', oninput: paint });
  const card = field(t('pay.card'), input, t('pay.card_hint'));
  const free = sale.price.minor === 0;
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const blame = (words) => (free ? put(wrong, words) : card.wrong(words));
  const chips = CARDS.map((name) => h('button', { type: 'button', value: name, onclick: () => { input.value = name; paint(); } }, t(`pay.${name}`)));
  const button = h('button', { class: 'big' });
  const soon = h('p', { class: 'slow' });
  const over = h('p', { class: 'slow', role: 'status' });
  let busy = false;
  let latest = standing;
  const trial = h('div', { hidden: true }, h('p', { class: 'trial' }, t('pay.sandbox')), h('div', { class: 'chips', role: 'group', 'aria-label': t('pay.cards') }, chips));
  const cards = [card.node, trial];
  const form = h('form', { novalidate: true, onsubmit: pay }, free ? wrong : cards, button, soon, over);
  paint();
  blame(bank.words);
  if (!free) offerTrial();
  return {
    node: [h('p', {}, t(free ? 'face.held_free' : 'face.held_text', { n: standing.quantity, price })), form, h('p', {}, leaving('face.held_leave', acts))],
    update({ standing: newer }) {
      latest = newer;
      blame(bank.words);
      paint();
    },
  };

  function paint() {
    const rest = latest.lapses_at - now();
    const late = rest <= 0;
    if (!late && !bank.soon && rest <= soonMs(sale)) {
      bank.soon = Math.ceil(rest / 1000);
      say(t('face.held_soon', { n: bank.soon }));
    }
    put(soon, bank.soon && !late ? t('face.held_soon', { n: bank.soon }) : '');
    put(over, late ? t('face.held_over') : '');
    button.disabled = busy || late;
    put(button, busy ? t(free ? 'pay.getting' : 'pay.paying') : free ? t('pay.get') : t('pay.now', { price }));
    for (const chip of chips) chip.setAttribute('aria-pressed', String(chip.value === input.value));
  }

  /** Only where no money moves is there a card to try. */
  async function offerTrial() {
    if (!(await isSandbox()) || acts.signal.aborted) return;
    trial.hidden = false;
    input.value ||= 'ok';
    paint();
  }

  async function pay(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    bank.words = '';
    blame('');
    paint();
    // One key for this one wish to pay: whatever is lost on the way, it is sent again as the same.
    const key = uuid();
    const typed = free ? undefined : input.value;
    try {
      // The shop's own line may know of a hold and not give the right to pay for it: who asks is given it.
      const asked = `/v1/sales/${sale.id}/reservation`;
      const held = latest.checkout_token ? latest : await persist(() => call('GET', asked, { signal: acts.signal }), acts.signal);
      const body = { checkout_token: held.checkout_token, card: typed };
      // What is no hold any more is not paid for: what it is now is heard next.
      if (body.checkout_token) await persist(() => call('POST', '/v1/checkouts', { body, key, signal: acts.signal }), acts.signal);
    } catch (error) {
      if (acts.signal.aborted) return;
      bank.words = error instanceof Problem ? said(error) : t('problem.internal');
      blame(bank.words);
    }
    busy = false;
    paint();
    acts.paid();
  }
}
