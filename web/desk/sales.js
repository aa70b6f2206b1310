// The operators' desk: every sale, drafts first, and the ways to the rest, as far as the role goes.

import { h, put } from '../dom.js';
import { Problem, call, pause } from '../api.js';
import { phaseOf } from '../live.js';
import { growing, page } from '../more.js';
import { may } from '../session.js';
import { money, t, when } from '../words.js';

export default function desk({ signal, go }) {
  const body = h('tbody', {});
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const heads = ['sale', 'phase', 'left', 'price', 'opens'].map((name) => h('th', { scope: 'col', class: ['left', 'price'].includes(name) && 'n' }, t(`desk.${name}`)));
  const link = (href, key, kind = 'button plain') => h('a', { href, class: kind }, t(key));
  const list = growing('/v1/sales', signal, show);
  let drafts = [];
  // Whose role takes a second factor sets it up before anything else.
  call('GET', '/v1/me/second-factor', { signal })
    .then(({ set, needed }) => { if (needed && !set) go('/second-factor?to=/desk', { replace: true }); })
    .catch(() => {});
  follow().catch((error) => { if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal')); });
  return h('div', {}, h('h1', {}, t('desk.title')),
    h('div', { class: 'row' }, may('sell') && link('/desk/new', 'desk.new', 'button'), may('refund') && link('/desk/refund', 'desk.refund'), link('/desk/refunds', 'desk.refunds'), link('/desk/audit', 'desk.audit'), link('/desk/parked', 'desk.parked'), may('journal') && link('/desk/journal', 'desk.journal'), may('steward') && link('/check-in', 'nav.check_in')),
    wrong,
    h('div', { class: 'paper wide', tabindex: 0, role: 'region', 'aria-label': t('desk.title') }, h('table', {}, h('thead', {}, h('tr', {}, heads)), body)), list.node);

  async function follow() {
    for (;;) {
      drafts = await all('/v1/admin/drafts');
      await list.refresh();
      await pause(4_000, signal);
    }
  }

  async function all(path) {
    const found = [];
    for (let at = path; at;) {
      const { items, next } = await page(at, signal);
      found.push(...items);
      at = next;
    }
    return found;
  }

  function show(sales) {
    const focused = document.activeElement?.getAttribute('href');
    const rows = sales.map(row);
    const isPublished = new Set(sales.map(({ id }) => id));
    body.replaceChildren(...drafts.filter(({ id }) => !isPublished.has(id)).map(row), ...rows);
    if (focused) [...body.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
    return new Map(rows.map((node, place) => [sales[place].id, node]));
  }
}

function row(sale) {
  const phase = sale.draft ? 'draft' : phaseOf(sale);
  return h('tr', {},
    h('td', {}, h('a', { href: `/desk/sales/${sale.id}` }, sale.title)),
    h('td', { class: `mark ${phase}` }, t(`desk.phase_${phase}`)),
    h('td', { class: 'n' }, `${t('sale.count', { n: sale.left })} / ${t('sale.count', { n: sale.capacity })}`),
    h('td', { class: 'n' }, money(sale.price)),
    h('td', {}, when(sale.opens_at)));
}
