// The audit's verdict: whether every invariant holds, sale by sale.

import { h, put } from '../dom.js';
import { Problem } from '../api.js';
import { more, page } from '../more.js';
import { number, t, when } from '../words.js';

const FIGURES = ['capacity', 'sold', 'pending', 'blocked', 'free', 'standby', 'attempts', 'orders', 'captured'];

export default function audit({ signal }) {
  const sale = new URLSearchParams(location.search).get('sale');
  const verdict = h('p', { class: 'verdict', role: 'status' }, t('wait.loading'));
  const list = h('div', {});
  const rest = more(load, signal);
  let all = { pass: true, at_rest: true };
  const again = h('button', { type: 'button', class: 'plain', onclick: ask }, t('audit.again'));
  ask();
  return h('div', {}, h('h1', {}, t('desk.audit')), h('p', { class: 'lead' }, t('audit.lead')), verdict, again, list, rest.node);

  async function ask() {
    again.disabled = true;
    put(verdict, t('wait.loading'));
    verdict.className = 'verdict';
    try {
      all = { pass: true, at_rest: true };
      list.replaceChildren();
      const { next } = await load(`/v1/admin/audit${/^\d+$/.test(sale ?? '') ? `?sale=${sale}` : ''}`);
      rest.leadsTo(next);
    } catch (error) {
      if (!signal.aborted) put(verdict, error instanceof Problem ? error.words : t('problem.internal'));
    }
    again.disabled = false;
  }

  /** Of a page of sales; the verdict is over all that are shown. */
  async function load(path) {
    const { items: { pass, at_rest, sales }, next } = await page(path, signal);
    all = { pass: all.pass && pass, at_rest: all.at_rest && at_rest };
    put(verdict, all.pass ? t(all.at_rest ? 'audit.pass' : 'audit.pass_moving') : t('audit.fail'));
    verdict.className = `verdict ${all.pass ? 'good' : 'wrong'}`;
    const nodes = sales.map(one);
    list.append(...nodes);
    return { count: nodes.length, next, first: nodes[0] };
  }
}

function one({ sale, pass, figures, divergence, in_motion, owed, certified }) {
  const facts = FIGURES.map((name) => h('div', {}, h('dt', {}, t(`audit.${name}`)), h('dd', {}, figures[name] === null ? '?' : number(figures[name]))));
  return h('section', { class: 'paper' },
    h('div', { class: 'between' }, h('h2', {}, h('a', { href: `/desk/sales/${sale}` }, t('audit.sale', { id: String(sale) }))), h('span', { class: pass ? 'verdict good' : 'verdict wrong' }, pass ? 'PASS' : 'FAIL')),
    divergence && h('p', { class: 'wrong' }, `${divergence.invariant}: ${divergence.what}`),
    owed.length > 0 && h('p', { class: 'wrong' }, h('a', { href: '/desk/refunds' }, t('audit.owed', { n: figures.refunds_failed }))),
    certified && h('p', { class: 'soft', title: certified.digest }, t('audit.certified', { at: when(certified.at) })),
    in_motion.length > 0 && h('p', { class: 'soft' }, `${t('audit.moving')}: ${in_motion.join(', ')}`),
    h('dl', { class: 'facts' }, facts));
}
