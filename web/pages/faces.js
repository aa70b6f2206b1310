// The faces of the ticket: for every standing what is said, and the one thing to do next.

import { field, h, put } from '../dom.js';
import { now } from '../clock.js';
import { money, t } from '../words.js';
import { checking, cooling, full, out, scheduled } from './admitted.js';
import { paying } from './pay.js';

/** After so long the buyer is told that it takes longer. */
const LONG_MS = 4_000;
/** Why a buyer may not press, by the state of the admission. */
const BARRED = { cooling, out, full };
const ENDED = ['lapsed', 'cancelled', 'ended', 'refused', 'refunded'];

const cost = ({ price }, quantity) => money({ ...price, minor: price.minor * quantity });

/** Which face is shown: its `key` is another when it must be built anew. */
export function faceOf({ sale, standing, admission }, phase) {
  const { status, lapses_at, reservation_id, version } = standing;
  const face = (name, build, key = '', until) => ({ name, build, until, key: `${name} ${key}` });
  if (status === 'held') return face('held', paying, reservation_id, lapses_at);
  if (status === 'paying') return face('paying', words('paying'), reservation_id);
  if (status === 'standby') return face('standby', standby, reservation_id);
  if (status === 'confirmed') return face('confirmed', bought, version);
  if (status === 'sending') return face('sending', sending);
  if (status === 'pending') return face('pending', pending);
  if (ENDED.includes(status)) {
    const name = endOf(status, sale, phase);
    return face(name, ended(name, phase), `${reservation_id} ${phase}`);
  }
  const bar = phase === 'open' || phase === 'scheduled' ? BARRED[admission.name] : null;
  if (status === 'none' && bar) return face(admission.name, bar, admission.until, admission.until);
  if (phase === 'scheduled') return face(phase, scheduled, status);
  if (phase !== 'open') return face(phase, words(phase));
  if (status === 'nobody') return face('log_in', invited);
  if (status === 'unknown') return face('pending', () => ({ node: h('p', {}, t('wait.loading')) }), 'unknown');
  if (isSold(sale)) return face('sold', words('sold'));
  return face(sale.left > 0 ? 'ask' : 'line', ask, sale.quantity_max);
}

/** For good: not even the line is open. */
export const isSold = (sale) => sale.all_paid && sale.standby_until === 'paid';

/** How it ended, in words: the line of a sale may end although not everything is sold. */
export const endOf = (status, sale, phase) => (status === 'ended' && phase === 'closed' && !sale?.all_paid ? 'ended_closed' : status);

const words = (name) => () => ({ node: h('p', {}, t(`face.${name}_text`)) });

function invited(_, acts) {
  return { node: [h('p', {}, t('face.log_in_text')), h('button', { type: 'button', class: 'big', onclick: acts.log_in }, t('nav.log_in')),
    h('p', {}, h('a', { href: `/sign-up?to=${encodeURIComponent(location.pathname)}` }, t('entry.to_sign_up')))] };
}

// -- asking for it --

/** What the person typed outlives the face: units come and go while they think. */
const typed = { sale: null, quantity: 1, answer: '' };

function ask({ sale, id }, acts) {
  if (typed.sale !== id) Object.assign(typed, { sale: id, quantity: 1, answer: '' });
  typed.quantity = Math.min(typed.quantity, sale.quantity_max);
  const button = h('button', { class: 'big' });
  const line = h('button', { type: 'button', class: 'big plain', hidden: true, onclick: () => wish(typed.quantity) });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const hint = h('p', { class: 'hint' });
  const slot = h('div', {});
  const check = checking(acts);
  let answer = null;
  let question;
  /** What was wished for before it was known what is asked. */
  let early = null;
  const choose = (quantity) => {
    typed.quantity = quantity;
    acts.touch();
    paint();
  };
  const options = Array.from({ length: sale.quantity_max }, (_, at) => at + 1).map((quantity) => h('label', {},
    h('input', { type: 'radio', name: 'quantity', value: quantity, checked: quantity === typed.quantity, onchange: () => choose(quantity) }),
    h('span', {}, quantity)));
  const form = h('form', { novalidate: true, onsubmit: submit },
    sale.quantity_max > 1 && h('fieldset', {}, h('legend', {}, t('sale.quantity')), h('div', { class: 'quantity' }, options)),
    slot, check.node, wrong, button, hint, line);
  let present = sale;
  paint();
  return {
    node: form,
    update({ sale: newer, problem: last, admission }) {
      present = newer;
      check.update(admission);
      if (question === undefined && admission.question !== undefined) asked(admission.question);
      paint();
      // A press that found no admission waits for one, and not in vain.
      if (early && ['failed', 'has', 'stopped'].includes(admission.name)) early = null;
      const problem = last ?? (question === undefined ? admission.waiting : null) ?? (['failed', 'has'].includes(admission.name) ? admission.problem : null);
      if (problem?.field === 'answer' && answer) {
        answer.wrong(problem.words);
        put(wrong, '');
      } else {
        put(wrong, problem?.words ?? '');
      }
    },
  };

  function paint() {
    const { quantity } = typed;
    const { left } = present;
    const free = present.price.minor === 0 ? '_free' : '';
    const minutes = Math.max(1, Math.round(present.hold_ms / 60_000));
    const isFewer = left > 0 && left < quantity;
    if (isFewer) put(button, t(free ? 'sale.get_free' : 'sale.get_fewer', { n: left, price: cost(present, left) }));
    else put(button, left > 0 ? t(`sale.get${free}`, { n: quantity, price: cost(present, quantity) }) : t('sale.line_up', { n: quantity }));
    if (isFewer) put(hint, t('sale.fewer_hint', { n: quantity, left, minutes }));
    else put(hint, left > 0 ? t(`sale.get_hint${free}`, { minutes }) : t(present.all_paid ? 'sale.line_paid_hint' : 'sale.line_hint'));
    if (isFewer) put(line, t('sale.line_up', { n: quantity }));
    else if (line === document.activeElement) button.focus();
    line.hidden = !isFewer;
  }

  function asked(known) {
    question = known;
    if (question) {
      const input = h('input', { type: 'text', autocomplete: 'off', maxlength: 200, required: true, value: typed.answer, oninput: () => { typed.answer = input.value; answer.wrong(''); acts.touch(); } });
      answer = field(question.prompt, input);
      slot.replaceChildren(h('p', { class: 'soft' }, t('sale.question')), answer.node);
    }
    if (early && question) answer.control.focus();
    else if (early) wish(early);
    early = null;
  }

  function submit(event) {
    event.preventDefault();
    wish(present.left > 0 ? Math.min(typed.quantity, present.left) : typed.quantity);
  }

  /** All of it or nothing: what is left now may be gone, and then the whole wish waits in line. */
  function wish(quantity) {
    const { left } = present;
    if (question === undefined) {
      early = quantity;
      acts.retry();
      return;
    }
    if (question === null) {
      acts.send({ quantity, left });
      return;
    }
    if (!typed.answer.trim()) {
      answer.wrong(t('sale.answer_empty'));
      answer.control.focus();
      return;
    }
    acts.send({ quantity, left, question_id: question.id, answer: typed.answer.trim() });
  }
}

// -- waiting --

function sending({ standing }, acts) {
  const more = h('p', { class: 'slow' });
  const check = checking(acts);
  return {
    node: [h('p', {}, t('face.sending_text', { n: standing.quantity })), check.node, more],
    update({ tries, admission }) {
      check.update(admission);
      put(more, tries > 0 || admission.waiting ? t('face.sending_again') : '');
    },
  };
}

function pending() {
  const more = h('p', { class: 'slow' });
  return {
    node: [h('p', {}, t('face.pending_text')), more],
    update({ standing }) { put(more, now() - standing.since > LONG_MS ? t('face.pending_long') : ''); },
  };
}

function standby({ standing, late }, acts) {
  const { quantity } = standing;
  const place = h('p', { class: 'place' });
  const hint = h('p', {});
  const fewer = h('p', { class: 'soft' });
  return {
    node: [late && h('p', {}, t('face.standby_late', { n: quantity })), h('p', { class: 'soft' }, t('face.standby_text')), place,
      hint, fewer, leaving('face.standby_leave', acts)].filter(Boolean),
    update({ standing: newer, sale }) {
      const { left } = sale;
      put(place, newer.position ? t('sale.count', { n: newer.position }) : '…');
      put(hint, t(sale.all_paid ? 'face.standby_paid' : 'face.standby_hint', { n: quantity }));
      put(fewer, left > 0 && left < quantity ? t('face.standby_fewer', { n: quantity, left }) : '');
    },
  };
}

/** Letting go is asked twice: it cannot be undone. */
export function leaving(key, acts) {
  const first = h('button', { type: 'button', class: 'plain', onclick: () => { sure.hidden = false; first.hidden = true; keep.focus(); } }, t(key));
  const keep = h('button', { type: 'button', class: 'plain', onclick: () => { sure.hidden = true; first.hidden = false; first.focus(); } }, t('face.keep'));
  const yes = h('button', { type: 'button', onclick: () => { yes.disabled = true; acts.leave(); } }, t('face.yes'));
  const sure = h('div', { hidden: true }, h('p', {}, t('face.sure')), h('div', { class: 'row' }, keep, yes));
  return h('div', {}, first, sure);
}

function bought({ standing: { order_number } }) {
  const order = order_number && h('a', { class: 'button big', href: `/orders/${order_number}` }, t('face.order', { number: order_number }));
  return { node: [h('p', {}, t('face.confirmed_text')), order] };
}

const ended = (status, phase) => (_, acts) => {
  const again = phase === 'open' && h('button', { type: 'button', class: 'big', onclick: acts.again }, t('face.again'));
  return { node: [h('p', {}, t(`face.${status}_text`)), again] };
};
