// Held: the time that is left, and the card.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { now } from '../clock.js';
import { money, t } from '../words.js';
import { leaving } from './faces.js';

/** What the built-in provider takes for cards. */
const CARDS = ['ok', 'declined', 'timeout', 'late'];

export function paying({ sale, standing }, acts) {
  const price = money({ ...sale.price, minor: sale.price.minor * standing.quantity });
  const input = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', maxlength: 100, class: 'code', value: 'ok', oninput: paint });
  const card = field(t('pay.card'), input, t('pay.card_hint'));
  const chips = CARDS.map((name) => h('button', { type: 'button', value: name, onclick: () => { input.value = name; paint(); } }, t(`pay.${name}`)));
  const button = h('button', { class: 'big' });
  const over = h('p', { class: 'slow', role: 'status' });
  let busy = false;
  let latest = standing;
  const form = h('form', { novalidate: true, onsubmit: pay }, card.node,
    h('div', { class: 'chips', role: 'group', 'aria-label': t('pay.cards') }, chips), button, over);
  paint();
  return {
    node: [h('p', {}, t('face.held_text', { n: standing.quantity, price })), form, h('p', {}, leaving('face.held_leave', acts))],
    update({ standing: newer }) {
      latest = newer;
      paint();
    },
  };

  function paint() {
    const late = now() >= latest.lapses_at;
    put(over, late ? t('face.held_over') : '');
    button.disabled = busy || late;
    put(button, busy ? t('pay.paying') : t('pay.now', { price }));
    for (const chip of chips) chip.setAttribute('aria-pressed', String(chip.value === input.value));
  }

  async function pay(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    card.wrong('');
    paint();
    // One key for this one wish to pay: whatever is lost on the way, it is sent again as the same.
    const key = uuid();
    const body = { checkout_token: latest.checkout_token, card: input.value };
    try {
      await persist(() => call('POST', '/v1/checkouts', { body, key, signal: acts.signal }), acts.signal);
    } catch (error) {
      if (acts.signal.aborted) return;
      card.wrong(error instanceof Problem ? error.words : t('problem.internal'));
    }
    busy = false;
    paint();
    acts.paid();
  }
}
