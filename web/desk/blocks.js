// Units of one sale that are out of sale: what there is, taking more out, putting a block back.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { page } from '../more.js';
import { may } from '../session.js';
import { number, t, when } from '../words.js';
import { ask } from './ask.js';

/** `show()` asks anew; `node` is a section of the page. */
export function blocks(sale, signal) {
  const path = `/v1/admin/sales/${sale}/blocks`;
  const units = field(t('blocks.units'), h('input', { type: 'number', min: 1, max: 1000, step: 1, inputmode: 'numeric' }));
  const reason = field(t('blocks.reason'), h('input', { type: 'text', maxlength: 200 }));
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const list = h('tbody', {});
  const none = h('p', { class: 'soft' }, t('blocks.none'));
  const heads = ['units', 'reason', 'since', may('block') && 'end'].filter(Boolean).map((name) => h('th', { scope: 'col', class: name === 'units' && 'n' }, t(`blocks.${name}`)));
  const table = h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': t('blocks.title'), hidden: true }, h('table', {}, h('thead', {}, h('tr', {}, heads)), list));
  const more = h('button', { type: 'button', class: 'plain', hidden: true, onclick: () => alone(() => load(next)) }, t('more'));
  const title = h('h2', { tabindex: -1 }, t('blocks.title'));
  let key = uuid();
  let next;
  let busy = false;
  const form = h('form', { class: 'row', novalidate: true, oninput: () => { key = uuid(); }, onsubmit: (event) => { event.preventDefault(); alone(take); } },
    units.node, reason.node, h('button', { class: 'plain' }, t('blocks.take')));
  const node = h('section', { class: 'paper' }, title, h('p', { class: 'hint' }, t('blocks.lead')), may('block') && form, told, wrong, none, table, more);
  return { node, show: () => alone(load) };

  async function load(further) {
    const { items, next: after } = await page(further ?? path, signal);
    list.replaceChildren(...(further ? list.children : []), ...items.map(row));
    none.hidden = list.children.length > 0;
    table.hidden = !none.hidden;
    next = after;
    more.hidden = !next;
  }

  function row(block) {
    const button = h('button', { type: 'button', class: 'plain', onclick: () => alone(() => end(block)) }, t('blocks.put_back'));
    return h('tr', {}, h('td', { class: 'n' }, block.decided ? number(block.units) : t('blocks.waits')), h('td', {}, block.reason), h('td', {}, when(block.since)), may('block') && h('td', {}, button));
  }

  async function take() {
    const body = { units: Number(units.control.value), reason: reason.control.value };
    const made = await persist(() => call('POST', path, { body, key, signal }), signal);
    key = uuid();
    put(told, made.units < made.wanted ? t('blocks.fewer', { n: made.units, wanted: made.wanted }) : t('blocks.taken', { n: made.units }));
    units.control.value = reason.control.value = '';
    await load();
  }

  async function end(block) {
    const lines = [t('ask.end_text', { n: block.units, reason: block.reason }), t('ask.end_final')];
    if (!await ask({ title: t('ask.end'), lines, yes: t('ask.end_yes') }, signal)) return;
    await persist(() => call('DELETE', `${path}/${block.id}`, { signal }), signal);
    put(told, t('blocks.ended', { n: block.units }));
    await load();
    // The row is gone, and its button with it.
    title.focus();
  }

  async function alone(work) {
    if (busy) return;
    busy = true;
    for (const place of [told, wrong]) put(place, '');
    for (const one of [units, reason]) one.wrong('');
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      if (!problem.passes) key = uuid();
      const blamed = { units, reason }[problem.field];
      // Nothing is free, or else the sale is closed.
      const conflict = problem.kind === 'conflict' && t(blamed ? 'blocks.none_free' : 'problem.sale_closed');
      if (blamed) blamed.wrong(conflict || problem.words);
      else put(wrong, conflict || problem.words);
    }
    busy = false;
  }
}
