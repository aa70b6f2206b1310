// What this person bought.

import { h } from '../dom.js';
import { Problem, call, persist } from '../api.js';
import { money, t, when } from '../words.js';

export default function orders({ signal }) {
  const list = h('div', {}, h('p', {}, t('wait.loading')));
  persist(() => Promise.all([call('GET', '/v1/orders', { signal }), call('GET', '/v1/sales', { signal })]), signal)
    .then(([all, sales]) => list.replaceChildren(all.length ? table(all, new Map(sales.map((sale) => [sale.id, sale.title]))) : h('p', { class: 'lead' }, t('orders.none'))))
    .catch((error) => { if (!signal.aborted) list.replaceChildren(h('p', { class: 'wrong' }, error instanceof Problem ? error.words : t('problem.internal'))); });
  return h('div', {}, h('h1', {}, t('orders.title')), list);
}

function table(orders, titles) {
  const heads = ['number', 'sale', 'units', 'amount', 'at'].map((name) => h('th', { scope: 'col', class: ['units', 'amount'].includes(name) && 'n' }, t(`orders.${name}`)));
  const rows = orders.map((order) => h('tr', {},
    h('td', {}, h('a', { href: `/orders/${order.order_number}`, class: 'code' }, order.order_number), order.refunded ? h('span', { class: 'soft' }, ` ${t('orders.refunded')}`) : order.refunded_units?.length > 0 && h('span', { class: 'soft' }, ` ${t('orders.some_refunded', { n: order.refunded_units.length })}`)),
    h('td', {}, titles.get(order.sale_id) ?? `#${order.sale_id}`),
    h('td', { class: 'n' }, order.units.length),
    h('td', { class: 'n' }, money(order.amount)),
    h('td', {}, when(order.placed_at))));
  return h('div', { class: 'paper wide', tabindex: 0, role: 'region', 'aria-label': t('orders.title') }, h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows)));
}
