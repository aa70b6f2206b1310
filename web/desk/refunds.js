// Refunds that failed: asked for once more, or settled in another way.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { page } from '../more.js';
import { may } from '../session.js';
import { money, t, when } from '../words.js';
import { fresh } from './fresh.js';

const STATES = ['failed', 'due', 'sent', 'settled', 'done'];

export default function refunds({ signal }) {
  const list = h('div', {}, h('p', {}, t('wait.loading')));
  const told = h('p', { class: 'good', role: 'status' });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const more = h('button', { type: 'button', class: 'plain', hidden: true, onclick: () => load(next).catch(failed) }, t('more'));
  const state = field(t('refunds.state'), h('select', { onchange: () => load().catch(failed) }, STATES.map((name) => h('option', { value: name }, t(`refunds.${name}`)))));
  let next;
  load().catch(failed);
  return h('div', {}, h('h1', {}, t('desk.refunds')), h('p', { class: 'lead' }, t('refunds.lead')), state.node, told, wrong, list, more);

  async function load(more_at) {
    put(wrong, '');
    const { items, next: after } = await page(more_at ?? `/v1/admin/refunds?state=${state.control.value}`, signal);
    const cards = items.map(card);
    if (more_at) list.append(...cards);
    else list.replaceChildren(...(cards.length ? cards : [h('p', {}, t('refunds.none'))]));
    next = after;
    more.hidden = !next;
  }

  function card(refund) {
    const order = refund.order_number ?? t('refunds.no_order');
    const facts = [['refunds.amount', money(refund.amount)], ['refunds.made', when(refund.made_at)], ['refunds.why', t(`refunds.why_${refund.why}`)]];
    if (refund.units.length) facts.push(['order.units', refund.units.map((unit) => `#${unit}`).join(', ')]);
    if (refund.reason) facts.push(['refund.reason', refund.reason]);
    if (refund.state === 'failed') facts.push(['refunds.failed_at', when(refund.failed_at)], ['refunds.code', refund.code], ['refunds.tries', refund.tries]);
    if (refund.state === 'settled') facts.push(['refunds.settled_at', when(refund.settled_at)], ['refunds.by', refund.settled_by], ['refunds.note', refund.note]);
    if (refund.done_at) facts.push(['refunds.done_at', when(refund.done_at)]);
    const node = h('section', { class: 'paper', 'aria-label': order }, h('h2', { class: 'code' }, order),
      h('dl', { class: 'facts' }, [...facts, ['refunds.id', h('span', { class: 'code' }, refund.id)]].map(([name, value]) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value)))));
    if (refund.state === 'failed' && may('refund')) node.append(acts(refund, order, node));
    return node;
  }

  function acts(refund, order, node) {
    const note = field(t('refunds.note'), h('input', { type: 'text', maxlength: 500, required: true, autocomplete: 'off' }), t('refunds.note_hint'));
    let key = uuid();
    const act = async (verb, body, done) => {
      for (const button of node.querySelectorAll('button')) button.disabled = true;
      put(told, '');
      put(wrong, '');
      note.wrong('');
      try {
        await fresh(() => persist(() => call('POST', `/v1/admin/refunds/${refund.id}/${verb}`, { body, key, signal }), signal), signal);
        put(told, t(done, { number: order }));
        await load();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.field === 'note') note.wrong(error.words);
        else failed(error);
        key = uuid();
        for (const button of node.querySelectorAll('button')) button.disabled = false;
      }
    };
    const settle = (event) => {
      event.preventDefault();
      act('settlement', { note: note.control.value.trim() }, 'refunds.is_settled');
    };
    return h('form', { novalidate: true, onsubmit: settle, oninput: () => { key = uuid(); } }, note.node,
      h('div', { class: 'row' }, h('button', { type: 'button', onclick: () => act('retry', {}, 'refunds.is_due') }, t('refunds.retry')), h('button', { class: 'plain' }, t('refunds.settle'))));
  }

  function failed(error) {
    if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
  }
}
