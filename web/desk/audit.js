// The audit's verdict: whether every invariant holds, sale by sale.

import { h, put } from '../dom.js';
import { Problem, call, persist } from '../api.js';
import { number, t } from '../words.js';

const FIGURES = ['capacity', 'sold', 'pending', 'blocked', 'free', 'standby', 'attempts', 'orders', 'captured'];

export default function audit({ signal }) {
  const sale = new URLSearchParams(location.search).get('sale');
  const verdict = h('p', { class: 'verdict', role: 'status' }, t('wait.loading'));
  const list = h('div', {});
  const again = h('button', { type: 'button', class: 'plain', onclick: ask }, t('audit.again'));
  ask();
  return h('div', {}, h('h1', {}, t('desk.audit')), h('p', { class: 'lead' }, t('audit.lead')), verdict, again, list);

  async function ask() {
    again.disabled = true;
    put(verdict, t('wait.loading'));
    verdict.className = 'verdict';
    try {
      const query = /^\d+$/.test(sale ?? '') ? `?sale=${sale}` : '';
      show(await persist(() => call('GET', `/v1/admin/audit${query}`, { signal }), signal));
    } catch (error) {
      if (!signal.aborted) put(verdict, error instanceof Problem ? error.words : t('problem.internal'));
    }
    again.disabled = false;
  }

  function show({ pass, at_rest, sales }) {
    put(verdict, pass ? t(at_rest ? 'audit.pass' : 'audit.pass_moving') : t('audit.fail'));
    verdict.className = `verdict ${pass ? 'good' : 'wrong'}`;
    list.replaceChildren(...sales.map(one));
  }
}

function one({ sale, pass, figures, divergence, in_motion }) {
  const facts = FIGURES.map((name) => h('div', {}, h('dt', {}, t(`audit.${name}`)), h('dd', {}, figures[name] === null ? '?' : number(figures[name]))));
  return h('section', { class: 'paper' },
    h('div', { class: 'between' }, h('h2', {}, h('a', { href: `/desk/sales/${sale}` }, t('audit.sale', { id: String(sale) }))), h('span', { class: pass ? 'verdict good' : 'verdict wrong' }, pass ? 'PASS' : 'FAIL')),
    divergence && h('p', { class: 'wrong' }, `${divergence.invariant}: ${divergence.what}`),
    in_motion.length > 0 && h('p', { class: 'soft' }, `${t('audit.moving')}: ${in_motion.join(', ')}`),
    h('dl', { class: 'facts' }, facts));
}
