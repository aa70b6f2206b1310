// Who comes without a code: sought by name or by the order's number, and let in by choosing a unit, after a question.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { may } from '../session.js';
import { hour, t } from '../words.js';
import { ask } from '../desk/ask.js';
import { takeBack } from './let-ins.js';

/** `door` says which sale's; `told` is told of a let-in and of one that was taken back; `tell` says a verdict. */
export function holders({ door, told, tell, signal }) {
  const name = field(t('holders.name'), h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', maxlength: 100, required: true }), t('holders.hint'));
  const list = h('div', { role: 'status' });
  const form = h('form', { class: 'paper', role: 'search', novalidate: true, onsubmit: (event) => { event.preventDefault(); seek(); } },
    h('h2', {}, t('holders.title')), name.node, h('button', { class: 'plain' }, t('holders.seek')));
  const node = h('section', { 'aria-label': t('holders.title') }, form, list);
  let sought = '';
  return { node, clear, again: () => sought && seek() };

  function clear() {
    sought = '';
    name.control.value = '';
    name.wrong('');
    list.replaceChildren();
  }

  async function seek() {
    const text = name.control.value.trim();
    name.wrong('');
    const at = door().id;
    try {
      const found = await persist(() => call('GET', `/v1/admin/sales/${at}/holders?name=${encodeURIComponent(text)}`, { signal }), signal);
      if (at !== door()?.id) return;
      sought = text;
      show(found);
    } catch (error) {
      if (signal.aborted) return;
      list.replaceChildren();
      name.wrong(error instanceof Problem ? error.words : t('problem.internal'));
    }
  }

  function show({ holders: found, more }) {
    const rest = more ? h('p', { class: 'soft' }, t('holders.more')) : null;
    list.replaceChildren(...(found.length ? found.map(holder) : [h('p', {}, t('holders.none'))]), ...(rest ? [rest] : []));
  }

  function holder(one) {
    return h('section', { class: 'paper holder' }, h('h3', {}, one.name || t('holders.nameless')), h('p', { class: 'soft' }, [one.order_number, one.email].filter(Boolean).join(' · ')),
      h('ul', { class: 'choices' }, one.units.map((held) => h('li', {}, unit(one, held)))));
  }

  function unit(one, { unit: number, given_back, admitted }) {
    const words = t('holders.unit', { unit: String(number) });
    const button = (key, act) => h('button', { type: 'button', class: 'plain', 'aria-label': `${t(key)}: ${one.name}, ${words}`, onclick: act }, t(key));
    if (admitted) return [`${words} · ${t('holders.is_in', { when: hour(admitted.admitted_at) })} `, button('undo.undo', () => undo(admitted))];
    if (given_back) return `${words} · ${t('check.back')}`;
    return [`${words} `, may('check_in') && button('holders.let_in', () => letIn(one, number))];
  }

  async function letIn(one, number) {
    const at = door();
    const lines = [t('holders.ask_who', { name: one.name, number: one.order_number }), t('holders.ask_text')];
    if (!await ask({ title: t('holders.ask', { unit: String(number) }), lines, yes: t('holders.yes') }, signal)) return;
    const key = uuid();
    const body = { sale_id: at.id, order_number: one.order_number, unit: number };
    try {
      const admitted = await persist(() => call('POST', '/v1/check-ins/by-order', { body, key, signal }), signal);
      tell('in', 'check.in', t('check.unit', { sale: at.title, unit: String(admitted.unit) }));
      told(admitted, true);
    } catch (error) {
      if (signal.aborted) return;
      const word = { already_admitted: 'check.again', revoked: 'check.back' }[error.kind] ?? 'check.unknown';
      tell('out', word, error instanceof Problem ? error.words : t('problem.internal'));
    }
    seek();
  }

  async function undo(admitted) {
    if (await takeBack(admitted, tell, signal)) told(admitted, false);
  }
}
