// What this person bought.

import { h } from '../dom.js';
import { Problem } from '../api.js';
import { more, page } from '../more.js';
import { money, t, when } from '../words.js';

export default function orders({ signal }) {
  const body = h('tbody', {});
  const list = h('div', {}, h('p', {}, t('wait.loading')));
  const button = more(load, signal);
  load('/v1/orders')
    .then(({ count, next }) => {
      list.replaceChildren(count ? table(body) : h('p', { class: 'lead' }, t('orders.none')), button.node);
      button.leadsTo(next);
    })
    .catch((error) => { if (!signal.aborted) list.replaceChildren(h('p', { class: 'wrong' }, error instanceof Problem ? error.words : t('problem.internal'))); });
  return h('div', {}, h('h1', {}, t('orders.title')), list);

  async function load(path) {
    const { items, next } = await page(path, signal);
    const rows = items.map(row);
    body.append(...rows);
    return { count: rows.length, next, first: rows[0] };
  }
}

function row(order) {
  return h('tr', {},
    h('td', {}, h('a', { href: `/orders/${order.order_number}`, class: 'code' }, order.order_number), order.refunded ? h('span', { class: 'soft' }, ` ${t('orders.refunded')}`) : order.refunded_units?.length > 0 && h('span', { class: 'soft' }, ` ${t('orders.some_refunded', { n: order.refunded_units.length })}`)),
    h('td', {}, order.sale_title ?? `#${order.sale_id}`),
    h('td', { class: 'n' }, order.units.length),
    h('td', { class: 'n' }, money(order.amount)),
    h('td', {}, when(order.placed_at)));
}

function table(body) {
  const heads = ['number', 'sale', 'units', 'amount', 'at'].map((name) => h('th', { scope: 'col', class: ['units', 'amount'].includes(name) && 'n' }, t(`orders.${name}`)));
  return h('div', { class: 'paper wide', tabindex: 0, role: 'region', 'aria-label': t('orders.title') }, h('table', {}, h('thead', {}, h('tr', {}, heads)), body));
}
