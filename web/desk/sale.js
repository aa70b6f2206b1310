// A sale as it runs: figures and charts; publishing, pausing, closing, raising; what can be taken home.

import { field, h, keep, put } from '../dom.js';
import { Problem, call, pause, persist, uuid } from '../api.js';
import { left } from '../clock.js';
import { phaseOf } from '../live.js';
import { may } from '../session.js';
import { money, number, t, when } from '../words.js';
import { ask } from './ask.js';
import { blocks } from './blocks.js';
import { chart } from './chart.js';
import { fresh } from './fresh.js';

const EVERY_MS = 1_000;

export default function running({ signal, of: [id] }) {
  const title = h('h1', { tabindex: -1 }, t('wait.loading'));
  const mark = h('p', { class: 'mark' });
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const rounded = (value) => number(Math.round(value));
  const charts = {
    rate: chart(t('live.rate'), rounded), held: chart(t('live.held'), rounded), standby: chart(t('live.standby'), rounded),
    sold: chart(t('live.sold'), rounded), lapsed: chart(t('live.lapsed'), rounded), wait: chart(t('live.wait'), (ms) => t('live.ms', { n: Math.round(ms) })),
  };
  const act = (verb, kind = 'plain') => h('button', { type: 'button', class: kind, onclick: () => alone(() => change(verb)) }, t(`live.${verb}`));
  const close = h('button', { type: 'button', class: 'plain', onclick: () => alone(closed) }, t('live.close'));
  const publish = h('button', { type: 'button', hidden: true, onclick: () => alone(published) }, t('live.publish'));
  const shop = h('a', { class: 'button plain', href: `/sales/${id}` }, t('live.shop'));
  const buttons = { publish, pause: act('pause'), resume: act('resume'), close };
  const capacity = field(t('live.capacity'), h('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric' }));
  const raise = h('form', { class: 'row', novalidate: true, onsubmit: (event) => { event.preventDefault(); alone(raised); } }, capacity.node, h('button', { class: 'plain' }, t('live.raise')));
  const take = (name, file) => h('button', { type: 'button', class: 'plain', onclick: () => download(file) }, t(`live.${name}`));
  const units = h('section', { class: 'paper' }, h('h2', {}, t('live.raise')), raise);
  const outside = blocks(id, signal);
  let sale = null;
  let busy = false;
  let seen = () => {};

  outside.show();
  follow().catch((error) => { if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal')); });
  return h('div', {}, title, mark,
    h('div', { class: 'row' }, may('sell') && [...Object.values(buttons), h('a', { class: 'button plain', href: `/desk/sales/${id}/edit` }, t('live.edit'))], shop), told, wrong,
    h('div', { class: 'charts' }, Object.values(charts).map(({ node }) => node)),
    may('sell') && units,
    outside.node,
    h('section', { class: 'paper' }, h('h2', {}, t('live.take')),
      h('div', { class: 'row' }, may('export') && [take('orders', 'exports/orders.csv'), take('reservations', 'exports/reservations.csv')], take('report', 'report'), h('a', { class: 'button plain', href: `/desk/audit?sale=${id}` }, t('desk.audit')))));

  function look() {
    return persist(() => Promise.all([call('GET', `/v1/admin/sales/${id}`, { signal }), call('GET', `/v1/admin/sales/${id}/live`, { signal })]), signal);
  }

  async function follow() {
    for (;;) {
      const [news, live] = await look();
      show(news);
      seen(news, live);
      charts.rate.show(live.lately.attempts_per_s);
      charts.held.show(live.held);
      charts.standby.show(live.standby);
      charts.sold.show(live.sold);
      charts.lapsed.show(live.lapsed);
      charts.wait.show(live.lately.answer_ms_p99);
      await pause(EVERY_MS, signal);
    }
  }

  function show(news) {
    sale = { ...sale, ...news };
    const phase = phaseOf(sale);
    const isDraft = sale.draft && phase !== 'closed';
    put(title, sale.title);
    document.title = `${sale.title} · miaosha`;
    mark.className = `mark ${isDraft ? 'draft' : phase}`;
    const until = phase === 'scheduled' ? sale.opens_at : sale.closes_at;
    put(mark, `${isDraft ? `${t('desk.phase_draft')} · ` : ''}${t(`desk.phase_${phase}`)}${phase === 'closed' ? '' : ` · ${left(until)}`} · ${t('left', { n: sale.left })} / ${number(sale.capacity)}`);
    publish.hidden = !isDraft;
    shop.hidden = sale.draft;
    units.hidden = sale.draft;
    buttons.pause.hidden = phase === 'paused' || phase === 'closed';
    buttons.resume.hidden = phase !== 'paused';
    buttons.close.hidden = phase === 'closed';
    capacity.control.placeholder = String(sale.capacity);
  }

  async function change(verb, body = {}) {
    put(told, '');
    put(wrong, '');
    const key = uuid();
    try {
      show(await persist(() => call('POST', `/v1/admin/sales/${id}/${verb}`, { body, key, signal }), signal));
      put(told, t('live.done'));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const problem = error instanceof Problem ? error : new Problem('internal');
      if (problem.field === 'capacity') capacity.wrong(problem.words);
      else put(wrong, problem.words);
      return false;
    }
  }

  /** One thing at a time: a second press asks and sends nothing. */
  async function alone(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
    }
    busy = false;
  }

  async function published() {
    const [{ title: name, price, opens_at, closes_at }] = await look();
    const lines = [t('ask.publish_text', { title: name, price: money(price), opens: when(opens_at), closes: when(closes_at) }), t('ask.publish_final')];
    const yes = await ask({ title: t('ask.publish'), lines, yes: t('ask.publish_yes') }, signal);
    if (yes && await change('publish') && publish.hidden) title.focus();
  }

  /** The figures follow the sale while the question stands: what cannot be taken back is not decided on old ones. */
  async function closed() {
    const lines = (news, live) => [
      t('ask.close_left', { n: news.left }), live.blocked > 0 && t('ask.close_blocked', { n: live.blocked }),
      t('ask.close_held', { n: live.held }), t('ask.close_line', { n: live.standby }), t('ask.close_final'),
    ].filter(Boolean);
    const watch = (tell) => { seen = (news, live) => tell(lines(news, live)); };
    const yes = await ask({ title: t('ask.close'), lines: lines(...await look()), yes: t('ask.close_yes'), watch }, signal);
    seen = () => {};
    // The button is gone then, and the focus with it.
    if (yes && await change('close') && buttons.close.hidden) title.focus();
  }

  async function raised() {
    capacity.wrong('');
    const to = Number(capacity.control.value);
    const [{ capacity: from }] = await look();
    if (!Number.isSafeInteger(to) || to <= from) {
      capacity.wrong(t('ask.raise_larger', { n: from }));
      return capacity.control.focus();
    }
    const lines = [t('ask.raise_text', { from, to, n: to - from })];
    if (!await ask({ title: t('ask.raise'), lines, yes: t('ask.raise_yes') }, signal)) return undefined;
    if (to > 2 * from) {
      const again = { label: t('ask.twice_label'), text: String(to), wrong: t('ask.twice_wrong') };
      if (!await ask({ title: t('ask.twice'), lines: [t('ask.twice_text', { from, to })], yes: t('ask.raise_yes'), again }, signal)) return undefined;
    }
    if (await change('raise', { capacity: to })) capacity.control.value = '';
    return undefined;
  }

  async function download(file) {
    put(wrong, '');
    try {
      const name = file === 'report' ? `sale-${id}-report.json` : `sale-${id}-${file.split('/').pop()}`;
      keep(await fresh(() => call('GET', `/v1/admin/sales/${id}/${file}`, { signal, as: 'blob' }), signal), name);
    } catch (error) {
      if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
    }
  }
}
