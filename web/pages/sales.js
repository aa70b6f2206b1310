// The list of sales.

import { h, put } from '../dom.js';
import { Problem, pause } from '../api.js';
import { left, now } from '../clock.js';
import { money, t, when } from '../words.js';
import { picture } from '../picture.js';
import { phaseOf } from '../live.js';
import { growing } from '../more.js';

const EVERY_MS = 5_000;

export default function sales({ signal }) {
  const shelf = h('ul', { class: 'shelf' });
  const none = h('p', { class: 'lead' }, t('wait.loading'));
  const cards = new Map();
  const list = growing('/v1/sales', signal, show);
  follow();
  return h('div', {}, h('h1', {}, t('sales.title')), h('p', { class: 'lead' }, t('sales.lead')), shelf, none, list.node);

  async function follow() {
    try {
      for (;;) {
        await list.refresh();
        await pause(EVERY_MS * (0.8 + 0.4 * Math.random()), signal);
      }
    } catch (error) {
      if (!signal.aborted) put(none, error instanceof Problem ? error.words : t('problem.internal'));
    }
  }

  function show(sales) {
    put(none, sales.length ? '' : t('sales.none'));
    const wanted = sales.map((sale) => {
      if (!cards.has(sale.id)) cards.set(sale.id, card(sale));
      cards.get(sale.id).update(sale);
      return cards.get(sale.id).node;
    });
    // What is there already stays where it is: a node that moves loses the focus.
    wanted.forEach((node, place) => { if (shelf.children[place] !== node) shelf.insertBefore(node, shelf.children[place] ?? null); });
    return new Map(wanted.map((node, place) => [sales[place].id, node]));
  }
}

function card(first) {
  const mark = h('span', { class: 'mark' });
  const rest = h('span', { class: 'mark' });
  const node = h('li', {}, h('a', { href: `/sales/${first.id}` },
    h('div', { class: 'frame' }, picture(first.item_id)),
    h('div', { class: 'text' },
      h('h2', {}, first.title),
      h('div', { class: 'between' }, h('span', { class: 'price' }, money(first.price)), mark),
      rest)));
  return {
    node,
    update(sale) {
      const phase = phaseOf(sale);
      mark.className = `mark ${phase}`;
      const soon = sale.opens_at - now() < 3_600_000;
      put(mark, t(`phase.${phase}`, { when: soon ? left(sale.opens_at) : when(sale.opens_at) }));
      put(rest, phase === 'closed' ? '\u00a0' : sale.left > 0 ? t('left', { n: sale.left }) : t('left.none'));
    },
  };
}
