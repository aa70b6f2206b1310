// Messages that no consumer could read, kept until an operator sends them back.

import { h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { more, page } from '../more.js';
import { may } from '../session.js';
import { t } from '../words.js';

export default function parked({ signal }) {
  const list = h('div', {}, h('p', {}, t('wait.loading')));
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { type: 'button', onclick: replay, hidden: true }, t('parked.replay'));
  const rest = more(add, signal);
  let body = h('tbody', {});
  load().catch(failed);
  return h('div', {}, h('h1', {}, t('desk.parked')), h('p', { class: 'lead' }, t('parked.lead')), button, told, wrong, list, rest.node);

  async function load() {
    body = h('tbody', {});
    const { count, next, names } = await add('/v1/admin/parked');
    button.hidden = count === 0 || !may('repair');
    rest.leadsTo(next);
    const heads = names.map((name) => h('th', { scope: 'col' }, name));
    list.replaceChildren(count
      ? h('div', { class: 'paper wide', tabindex: 0, role: 'region', 'aria-label': t('desk.parked') }, h('table', {}, h('thead', {}, h('tr', {}, heads)), body))
      : h('p', {}, t('parked.none')));
  }

  async function add(path) {
    const { items, next } = await page(path, signal);
    const rows = items.map((message) => h('tr', {}, Object.values(message).map((value) => h('td', { class: 'code' }, typeof value === 'object' ? JSON.stringify(value) : String(value)))));
    body.append(...rows);
    return { count: rows.length, next, names: Object.keys(items[0] ?? {}) };
  }

  async function replay() {
    const key = uuid();
    try {
      const { replayed } = await persist(() => call('POST', '/v1/admin/parked/replay', { body: {}, key, signal }), signal);
      put(told, t('parked.replayed', { n: replayed }));
      await load();
    } catch (error) {
      failed(error);
    }
  }

  function failed(error) {
    if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
  }
}
