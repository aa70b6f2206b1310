// Giving money back: a whole order, or some of its units.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { t } from '../words.js';

export default function refund({ signal }) {
  const number = field(t('refund.number'), h('input', { type: 'text', class: 'code', autocomplete: 'off', required: true, maxlength: 14, value: new URLSearchParams(location.search).get('order') ?? '' }));
  const units = field(t('refund.units'), h('input', { type: 'text', class: 'code', autocomplete: 'off', maxlength: 100 }), t('refund.units_hint'));
  const reason = field(t('refund.reason'), h('input', { type: 'text', maxlength: 200 }));
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { class: 'big' }, t('refund.give'));
  let key = uuid();
  const form = h('form', { class: 'paper', novalidate: true, onsubmit: submit, oninput: () => { key = uuid(); } }, number.node, units.node, reason.node, wrong, button, told);
  return h('div', { class: 'narrow' }, h('h1', {}, t('desk.refund')), h('p', { class: 'lead' }, t('refund.lead')), form);

  async function submit(event) {
    event.preventDefault();
    put(told, '');
    put(wrong, '');
    for (const one of [number, units, reason]) one.wrong('');
    const body = {};
    if (units.control.value.trim()) body.units = units.control.value.split(/[\s,，、#]+/).filter(Boolean).map(Number);
    if (reason.control.value.trim()) body.reason = reason.control.value.trim();
    const order = number.control.value.trim().toUpperCase();
    button.disabled = true;
    try {
      await persist(() => call('POST', `/v1/admin/orders/${encodeURIComponent(order)}/refunds`, { body, key, signal }), signal);
      put(told, t('refund.done', { number: order }));
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      const blamed = { units, reason, number }[problem.field?.split('[')[0]];
      if (blamed) blamed.wrong(problem.words);
      else put(wrong, problem.words);
    }
    button.disabled = false;
  }
}
