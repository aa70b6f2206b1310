// One order: what was paid, the receipt, and the tickets with their codes.

import { h, keep, put } from '../dom.js';
import { Problem, call, persist } from '../api.js';
import { money, t, when } from '../words.js';

export default function order({ signal, of: [number] }) {
  const root = h('div', {}, h('h1', {}, t('order.title', { number })), h('p', {}, t('wait.loading')));
  load().catch((error) => {
    if (signal.aborted) return;
    const missing = error instanceof Problem && error.status === 404;
    root.replaceChildren(h('h1', {}, missing ? t('order.missing') : t('order.title', { number })),
      h('p', { class: missing ? '' : 'wrong' }, missing ? h('a', { href: '/orders' }, t('orders.title')) : error instanceof Problem ? error.words : t('problem.internal')));
  });
  return root;

  async function load() {
    const bought = await persist(() => call('GET', `/v1/orders/${number}`, { signal }), signal);
    const sale = await call('GET', `/v1/sales/${bought.sale_id}`, { signal }).catch(() => null);
    const told = h('p', { class: 'wrong', role: 'status' });
    const facts = [['order.sale', sale?.title ?? `#${bought.sale_id}`], ['order.units', bought.units.map((unit) => `#${unit}`).join(', ')], ['order.paid', money(bought.amount)], ['order.at', when(bought.placed_at)]];
    const receipt = h('button', { type: 'button', class: 'plain', onclick: () => download(told) }, t('order.receipt'));
    const slot = h('div', {});
    root.replaceChildren(h('h1', {}, t('order.title', { number })),
      h('div', { class: 'paper' },
        h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value)))),
        bought.refunded ? h('p', { class: 'wrong' }, t('order.refunded')) : bought.refunded_units?.length > 0 && h('p', { class: 'wrong' }, t('orders.some_refunded', { n: bought.refunded_units.length })), ...refunds(bought.refunds ?? []), receipt, told), slot);
    const tickets = await persist(() => call('GET', `/v1/orders/${number}/tickets`, { signal }), signal).catch(() => null);
    if (!signal.aborted && tickets?.units.length) slot.append(...stubs(tickets.units));
  }

  async function download(told) {
    put(told, '');
    try {
      keep(await call('GET', `/v1/orders/${number}/receipt.pdf`, { signal, as: 'blob' }), `${number}.pdf`);
    } catch (error) {
      if (!signal.aborted) put(told, error.status === 404 ? t('order.receipt_none') : error.words);
    }
  }
}

// Where the money is, each in words of its own: what is on its way is not back.
function refunds(all) {
  const line = ({ amount, state, done_at }) => h('li', { class: state === 'done' ? 'good' : state === 'failed' ? 'wrong' : '' }, t(`order.refund_${state}`, { amount: money(amount), at: done_at && when(done_at) }));
  return all.length ? [h('ul', { class: 'refunds', 'aria-label': t('order.refunds') }, all.map(line))] : [];
}

/** For people who read it to each other; a door takes it with its gaps. */
const grouped = (token) => token.match(/.{1,6}/g).join(' ');

function stubs(units) {
  const stub = ({ unit, token, qr_svg }) => h('li', {},
    h('h3', {}, t('order.ticket', { unit })),
    // A picture made of text: as a picture it can do nothing.
    token ? h('img', { class: 'qr', alt: t('order.qr', { unit }), src: `data:image/svg+xml,${encodeURIComponent(qr_svg)}` }) : h('p', { class: 'soft' }, t('order.given_back')),
    token && h('details', {}, h('summary', {}, t('order.code')), h('p', { class: 'code token' }, grouped(token))));
  return [h('h2', {}, t('order.tickets')), h('p', { class: 'lead' }, t('order.tickets_text')), h('ul', { class: 'tickets' }, units.map(stub))];
}
