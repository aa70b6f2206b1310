// Giving money back: a whole order, or some of its units.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { money, t } from '../words.js';
import { ask } from './ask.js';
import { fresh } from './fresh.js';

export default function refund({ signal }) {
  const number = field(t('refund.number'), h('input', { type: 'text', class: 'code', autocomplete: 'off', required: true, maxlength: 14, value: new URLSearchParams(location.search).get('order') ?? '' }));
  const units = field(t('refund.units'), h('input', { type: 'text', class: 'code', autocomplete: 'off', maxlength: 100 }), t('refund.units_hint'));
  const reason = field(t('refund.reason'), h('input', { type: 'text', maxlength: 200 }));
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  let key = uuid();
  let busy = false;
  const form = h('form', { class: 'paper', novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(); }, oninput: () => { key = uuid(); } }, number.node, units.node, reason.node, wrong, h('button', { class: 'big' }, t('refund.give')), told);
  return h('div', { class: 'narrow' }, h('h1', {}, t('desk.refund')), h('p', { class: 'lead' }, t('refund.lead')), form);

  async function submit() {
    if (busy) return;
    busy = true;
    put(told, '');
    put(wrong, '');
    for (const one of [number, units, reason]) one.wrong('');
    try {
      await asked();
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      const blamed = { units, reason, number }[problem.field?.split('[')[0]];
      if (blamed) blamed.wrong(problem.words);
      else put(wrong, problem.words);
    }
    busy = false;
  }

  async function asked() {
    const body = {};
    if (units.control.value.trim()) body.units = units.control.value.split(/[\s,，、#]+/).filter(Boolean).map(Number);
    if (reason.control.value.trim()) body.reason = reason.control.value.trim();
    const path = `/v1/admin/orders/${encodeURIComponent(number.control.value.trim().toUpperCase())}`;
    const order = await persist(() => call('GET', path, { signal }), signal);
    const left = order.units.filter((unit) => !order.refunded_units.includes(unit));
    if (left.length === 0) return number.wrong(t('ask.refund_nothing', { number: order.order_number }));
    const foreign = body.units?.find((unit) => !left.includes(unit));
    if (foreign !== undefined) return units.wrong(t('ask.refund_foreign', { number: order.order_number, unit: String(foreign) }));
    const back = [...new Set(body.units ?? left)];
    const lines = [
      t('ask.refund_order', { number: order.order_number }), t('ask.refund_units', { n: back.length, units: back.map((unit) => `#${unit}`).join(', ') }),
      t('ask.refund_amount', { amount: money(worth(order, left.length, back.length)) }), t('ask.refund_final'),
    ];
    if (!await ask({ title: t('ask.refund'), lines, yes: t('ask.refund_yes') }, signal)) return undefined;
    await fresh(() => persist(() => call('POST', `${path}/refunds`, { body, key, signal }), signal), signal);
    return put(told, t('refund.done', { number: order.order_number }));
  }
}

/** As the shop reckons it: each unit the same, and the last ones what is left of the amount. */
function worth({ amount, refunded_amount, units }, left, back) {
  const minor = back >= left ? amount.minor - refunded_amount.minor : Math.floor(amount.minor / units.length) * back;
  return { ...amount, minor };
}
