// The last let-ins at this door; and taking one back, after a question.

import { h } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { hour, t } from '../words.js';
import { ask } from '../desk/ask.js';

const SHOWN = 5;

/** Asks first; says with `tell` what became of it. Whether the shop took it back. */
export async function takeBack(admission, tell, signal) {
  const unit = String(admission.unit);
  if (!await ask({ title: t('undo.ask', { unit }), lines: [t('undo.text')], yes: t('undo.yes') }, signal)) return false;
  const { sale_id, reservation_id, admitted_at, device } = admission;
  const body = { sale_id, unit: admission.unit, reservation_id, admitted_at, device };
  const key = uuid();
  try {
    const { standing } = await persist(() => call('POST', '/v1/check-ins/undo', { body, key, signal }), signal);
    tell('', 'undo.done', t(standing ? 'undo.stands' : 'undo.free', { unit }));
    return true;
  } catch (error) {
    if (!signal.aborted) tell('out', 'undo.not', error instanceof Problem ? error.words : t('problem.internal'));
    return false;
  }
}

/** `gone` is told of an admission that was taken back. */
export function letIns(tell, gone, signal) {
  const list = h('ul', { class: 'choices' });
  const node = h('section', { class: 'paper', 'aria-label': t('undo.title'), hidden: true }, h('h2', {}, t('undo.title')), list);
  let shown = [];
  return { node, add, drop, clear: () => draw([]) };

  function add(admission) {
    draw([admission, ...shown.filter((one) => one.unit !== admission.unit)].slice(0, SHOWN));
  }

  function drop(admission) {
    draw(shown.filter((one) => one.unit !== admission.unit || one.reservation_id !== admission.reservation_id));
  }

  function draw(admissions) {
    shown = admissions;
    node.hidden = shown.length === 0;
    list.replaceChildren(...shown.map((one) => {
      const words = t('undo.line', { unit: String(one.unit), when: hour(one.admitted_at) });
      return h('li', {}, h('span', {}, words), ' ', h('button', { type: 'button', class: 'plain', 'aria-label': `${t('undo.undo')}: ${words}`, onclick: () => undo(one) }, t('undo.undo')));
    }));
  }

  async function undo(admission) {
    if (await takeBack(admission, tell, signal)) gone(admission);
  }
}
