// Lists in pages: the shop names the next page of one, and a button asks for it.

import { h, put, say } from './dom.js';
import { Problem, call, persist } from './api.js';
import { t } from './words.js';

/** One page: its items, and where the next one is, if there is one. */
export const page = (path, signal) => persist(() => call('GET', path, { signal, as: 'page' }), signal);

/**
 * The button under a list. `load(path)` asks for the page at `path` and shows it; it gives how many items are new, where the
 * next page is, and the first new node. The pressed button keeps the focus; where no more follows it goes to what is new.
 */
export function more(load, signal) {
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { type: 'button', class: 'plain', hidden: true, onclick: press }, t('more'));
  let next = null;
  return { node: h('div', { class: 'more' }, button, wrong), leadsTo };

  function leadsTo(path) {
    next = path;
    button.hidden = !path;
  }

  async function press() {
    if (button.getAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    put(wrong, '');
    try {
      const { count, next: after, first } = await load(next);
      const had = document.activeElement === button;
      leadsTo(after);
      say(t('more.said', { n: count }));
      if (had && !after) (first?.querySelector('a') ?? first)?.focus();
    } catch (error) {
      if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
    }
    button.removeAttribute('aria-busy');
  }
}

/**
 * A list that grows at its head, by `id`, newest first, unless it has another order. `refresh()` reads its pages anew, as many as were
 * opened; `show` gets all that was ever read, so that nothing that is shown goes away.
 */
export function growing(path, signal, show, order = (a, b) => b.id - a.id) {
  const known = new Map();
  let pages = 1;
  let isFirst = true;
  const button = more(async (next) => {
    const { items, next: after } = await page(next, signal);
    pages += 1;
    const before = known.size;
    const nodes = take(items);
    return { count: known.size - before, next: after, first: nodes.get(items[0]?.id) };
  }, signal);
  return { node: button.node, refresh };

  function take(items) {
    for (const item of items) known.set(item.id, item);
    return show([...known.values()].sort(order));
  }

  async function refresh() {
    let at = path;
    for (let number = 0; at && number < pages; number += 1) {
      const { items, next } = await page(at, signal);
      take(items);
      // What comes later comes at the head: the end of what is known stays where it is.
      if (isFirst) button.leadsTo(next);
      isFirst = false;
      at = next;
    }
  }
}
