// The list of sales: looked for by words, by whether they have opened, and in the order one likes. The address says what was asked.

import { field, h, put, say } from '../dom.js';
import { Problem, pause } from '../api.js';
import { left, now } from '../clock.js';
import { money, t, when } from '../words.js';
import { picture } from '../picture.js';
import { phaseOf } from '../live.js';
import { growing } from '../more.js';

const EVERY_MS = 5_000;
const SEARCH_CHARS_MAX = 100;
const STATES = ['', 'open', 'upcoming'];
const ORDERS = { newest: undefined, opening: (a, b) => a.opens_at - b.opens_at || a.id - b.id };

export default function sales({ signal }) {
  const wish = asked();
  const shelf = h('ul', { class: 'shelf' });
  const none = h('p', { class: 'lead' }, t('wait.loading'));
  const cards = new Map();
  const more = h('div');
  const search = field(t('sales.search'), h('input', { type: 'search', value: wish.search, maxlength: SEARCH_CHARS_MAX, autocomplete: 'off', enterkeyhint: 'search' }));
  const states = STATES.map((state) => h('button', { type: 'button', value: state, onclick: () => ask({ state }) }, t(`sales.${state || 'all'}`)));
  const order = field(t('sales.order'), h('select', { onchange: () => ask({ order: order.control.value }) }, Object.keys(ORDERS).map((name) => h('option', { value: name }, t(`sales.${name}`)))));
  order.control.value = wish.order;
  const form = h('form', { class: 'find', role: 'search', 'aria-label': t('sales.find'), novalidate: true, onsubmit: submit },
    h('div', { class: 'row' }, search.node, h('button', { class: 'plain' }, t('sales.find')), order.node),
    h('div', { class: 'chips', role: 'group', 'aria-label': t('sales.which') }, states));
  let ends = new AbortController();
  signal.addEventListener('abort', () => ends.abort(), { once: true });
  paint();
  follow(false);
  return h('div', {}, h('h1', {}, t('sales.title')), h('p', { class: 'lead' }, t('sales.lead')), form, shelf, none, more);

  function submit(event) {
    event.preventDefault();
    ask({ search: search.control.value.trim() });
  }

  function ask(change) {
    Object.assign(wish, change);
    history.replaceState(null, '', `/${query(wish)}`);
    paint();
    follow(true);
  }

  function paint() {
    for (const button of states) button.setAttribute('aria-pressed', String(button.value === wish.state));
  }

  /** Until something else is asked. `said`: whether screen readers announce what was found. */
  async function follow(said) {
    ends.abort();
    ends = new AbortController();
    const own = ends.signal;
    search.wrong('');
    const list = growing(`/v1/sales${query(wish)}`, own, show, ORDERS[wish.order]);
    more.replaceChildren(list.node);
    try {
      for (let first = said; ; first = false) {
        await list.refresh();
        if (first) say(shelf.children.length ? t('sales.found', { n: shelf.children.length }) : t('sales.none_found'));
        await pause(EVERY_MS * (0.8 + 0.4 * Math.random()), own);
      }
    } catch (error) {
      if (!own.aborted) failed(error);
    }
  }

  function failed(error) {
    const words = error instanceof Problem ? error.words : t('problem.internal');
    const isOurs = error instanceof Problem && error.field === 'search';
    if (isOurs) search.wrong(words);
    put(none, isOurs ? '' : words);
    if (isOurs) shelf.replaceChildren();
  }

  function show(sales) {
    put(none, sales.length ? '' : t(wish.search || wish.state ? 'sales.none_found' : 'sales.none'));
    const wanted = sales.map((sale) => {
      if (!cards.has(sale.id)) cards.set(sale.id, card(sale));
      cards.get(sale.id).update(sale);
      return cards.get(sale.id).node;
    });
    // What is there already stays where it is: a node that moves loses the focus.
    wanted.forEach((node, place) => { if (shelf.children[place] !== node) shelf.insertBefore(node, shelf.children[place] ?? null); });
    while (shelf.children.length > wanted.length) shelf.lastChild.remove();
    return new Map(wanted.map((node, place) => [sales[place].id, node]));
  }
}

/** What the address asks for; unknown parameters and values are left out. */
function asked() {
  const query = new URLSearchParams(location.search);
  const one = (name, known, otherwise) => (known.includes(query.get(name)) ? query.get(name) : otherwise);
  return {
    search: (query.get('search') ?? '').slice(0, SEARCH_CHARS_MAX),
    state: one('state', STATES, ''),
    order: one('order', Object.keys(ORDERS), 'newest'),
  };
}

function query({ search, state, order }) {
  const query = new URLSearchParams();
  if (search) query.set('search', search);
  if (state) query.set('state', state);
  if (order !== 'newest') query.set('order', order);
  return String(query) && `?${query}`;
}

function card(first) {
  const mark = h('span', { class: 'mark' });
  const rest = h('span', { class: 'mark' });
  const title = h('h2', {});
  const price = h('span', { class: 'price' });
  const node = h('li', {}, h('a', { href: `/sales/${first.id}` },
    h('div', { class: 'frame' }, picture(first.id)),
    h('div', { class: 'text' },
      title,
      h('div', { class: 'between' }, price, mark),
      rest)));
  return {
    node,
    update(sale) {
      const phase = phaseOf(sale);
      put(title, sale.title);
      put(price, money(sale.price));
      mark.className = `mark ${phase}`;
      const soon = sale.opens_at - now() < 3_600_000;
      put(mark, t(`phase.${phase}`, { when: soon ? left(sale.opens_at) : when(sale.opens_at) }));
      put(rest, phase === 'closed' ? '\u00a0' : sale.left > 0 ? t('left', { n: sale.left }) : t('left.none'));
    },
  };
}
