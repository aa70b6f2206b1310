// One sale: what it is, what is left, how long; and the ticket, which says where this buyer stands and what can be done.

import { h, put, say } from '../dom.js';
import { admissionTo, isOver, isState } from '../admission.js';
import { Problem, call, persist } from '../api.js';
import { left, now } from '../clock.js';
import { followSale, followStanding, phaseOf } from '../live.js';
import { remember, session, tried, user } from '../session.js';
import { money, t } from '../words.js';
import { picture } from '../picture.js';
import { endOf, faceOf, isSold } from './faces.js';
import { soonMs } from './pay.js';

const TICK_MS = 250;
/** So long after its time a hold has lapsed, and the page should know. */
const LATE_MS = 1_500;
/** A wish that could not be sent for so long is dropped. */
const WISH_MS_MAX = 600_000;

export default function page({ signal, of: [id], go }) {
  const state = { id, sale: null, standing: session() ? { status: 'unknown' } : { status: 'nobody' }, problem: null, tries: 0, askedAt: 0 };
  const root = h('div', {}, h('h1', {}, t('wait.loading')));
  const admission = admissionTo(id, { changed, signal });
  const { touch, retry, stop } = admission;
  const acts = { send, leave, paid, again, touch, retry, stop, log_in: () => go(`/log-in?to=/sales/${id}`), go, signal };
  state.admission = admission.state;
  let standing;
  /** The reservation that has ended, once its buyer wants another. */
  let past = null;
  let show = () => {};

  followSale(id, (sale) => {
    const first = !state.sale;
    state.sale = sale;
    if (first) show = frame(root, state, acts);
    show();
  }, signal).catch(lost);
  if (session()) {
    standing = followStanding(id, heard, signal);
    standing.done.catch(lost);
  }
  const ticks = setInterval(tick, TICK_MS);
  signal.addEventListener('abort', () => clearInterval(ticks));
  return root;

  function tick() {
    if (mayPress()) admission.look(state.sale);
    show();
    // The buyer should have been told by now: ask.
    const { status, lapses_at } = state.standing;
    if (status !== 'held' || now() < lapses_at + LATE_MS || now() < state.askedAt + 2 * LATE_MS) return;
    state.askedAt = now();
    standing.nudge();
  }

  /** Now, or when the sale opens. */
  function mayPress() {
    const { sale, standing: { status } } = state;
    return sale && status === 'none' && phaseOf(sale) !== 'closed' && !isSold(sale);
  }

  /** Of the admission. Who has a reservation is shown that. */
  function changed() {
    if (state.admission.name === 'has') standing.nudge();
    show();
  }

  function heard(told) {
    const news = past && told.reservation_id === past ? { status: 'none' } : told;
    const before = state.standing;
    state.was = before.status;
    if (news.status !== before.status) decided(news);
    state.standing = { ...news, since: before.status === news.status ? before.since : now() };
    if (news.status === 'sending') deliver();
    tell(before, news);
    show();
  }

  /** A buyer who pressed while units were left, and is in line now, is told why. */
  function decided({ status, quantity }) {
    state.late = status === 'standby' && state.wish?.left >= quantity;
    if (!['sending', 'pending'].includes(status)) state.wish = null;
  }

  /** What matters is said aloud, once. */
  function tell(before, { status, quantity, position, lapses_at }) {
    if (status === before.status) return;
    if (status === 'held' && before.status !== 'unknown') say(t(state.sale?.price.minor === 0 ? 'said.held_free' : 'said.held', { minutes: Math.max(1, Math.round((lapses_at - now()) / 60_000)) }));
    else if (status === 'standby') say(`${state.late ? `${t('face.standby_late', { n: quantity })} ` : ''}${t('said.standby', { n: position ?? 1 })}`);
    else if (['lapsed', 'refused', 'ended', 'confirmed'].includes(status) && before.status !== 'unknown') say(t(`face.${endOf(status, state.sale, state.sale && phaseOf(state.sale))}_text`));
  }

  function send(wish) {
    Object.assign(state, { problem: null, tries: 0, wish });
    remember(id, { ...wish, at: now() });
    standing.nudge();
  }

  /** Sends the wish until it is answered; of several tabs one sends, and after a reload the new page. */
  function deliver() {
    if (deliver.busy) return;
    deliver.busy = true;
    alone().catch((error) => { if (!signal.aborted) console.error(error); }).finally(() => { deliver.busy = false; });
  }

  /** Where tabs cannot agree on who sends, each does: a second try is harmless. */
  async function alone() {
    let isMine = false;
    const work = () => { isMine = true; return sent(); };
    try {
      await navigator.locks.request(`miaosha.try.${user().id}.${id}`, { signal }, work);
    } catch (error) {
      if (isMine || signal.aborted) throw error;
      await sent();
    }
  }

  async function sent() {
    const wish = tried(id);
    if (!wish || wish.attempt_id) return;
    const { quantity, question_id, answer } = wish;
    const body = question_id === undefined ? { quantity } : { question_id, answer, quantity };
    try {
      if (now() - wish.at > WISH_MS_MAX) throw new Problem('offline');
      const { attempt_id } = await pressed(body);
      remember(id, attempt_id ? { quantity, attempt_id } : null);
      if (!attempt_id) return heard({ status: 'refused' });
    } catch (error) {
      if (signal.aborted) return;
      remember(id, null);
      const problem = error instanceof Problem ? error : new Problem('internal');
      state.problem = isState(problem) ? null : problem;
    }
    standing.nudge();
  }

  /** An admission that ran out on its way, or was taken back, is renewed and the button pressed again; once, whatever comes then. */
  async function pressed(body) {
    const press = (bearer) => persist(() => call('POST', `/v1/sales/${id}/attempts`, { body, bearer, signal }), signal, (_, times) => {
      state.tries = times;
      show();
    });
    const right = await admission.right();
    try {
      return await press(right);
    } catch (error) {
      if (!isOver(error)) throw error;
    }
    const renewed = await admission.renewed();
    try {
      return await press(renewed);
    } catch (error) {
      throw isOver(error) ? new Problem('new_admission_needed') : error;
    }
  }

  async function leave() {
    try {
      await persist(() => call('DELETE', `/v1/sales/${id}/reservation`, { signal }), signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    standing.nudge();
  }

  /** A checkout said something; the shop knows what is so now. */
  function paid() {
    standing.nudge();
  }

  function again() {
    past = state.standing.reservation_id;
    heard({ status: 'none' });
    retry();
  }

  function lost(error) {
    if (signal.aborted) return;
    const missing = error instanceof Problem && error.status === 404;
    const words = missing ? t('sale.missing') : error instanceof Problem ? error.words : t('problem.internal');
    if (!missing && !(error instanceof Problem)) console.error(error);
    root.replaceChildren(h('h1', {}, words), h('p', {}, h('a', { href: '/' }, t('nav.sales'))));
  }
}

/** What the operator wrote of it: plain text, in paragraphs. */
function about(text) {
  const paragraphs = (text ?? '').split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean);
  return paragraphs.length > 0 ? [h('section', { class: 'about', 'aria-labelledby': 'about' }, h('h2', { id: 'about' }, t('sale.about')), paragraphs.map((part) => h('p', {}, part)))] : [];
}

/** Builds what stays, and returns what shows the state anew. */
function frame(root, state, acts) {
  const { sale } = state;
  const [leftover, of, bar, clock, clockName] = [h('span', {}), h('span', { class: 'soft' }), h('i', {}), h('dd', { role: 'timer' }), h('dt', {})];
  const [title, price, text] = [h('h1', {}), h('dd', {}), h('div', {})];
  const stub = h('div', { class: 'stub' }, h('h2', {}), h('span', { class: 'count', role: 'timer' }));
  const body = h('div', { class: 'body' });
  const ticket = h('section', { class: 'ticket', 'aria-labelledby': 'stub' }, stub, body);
  stub.firstChild.id = 'stub';
  root.replaceChildren(h('div', { class: 'sale' },
    h('div', { class: 'frame' }, picture(sale.id, t('sale.picture', { title: sale.title }))),
    h('div', {},
      title,
      h('dl', { class: 'facts' },
        h('div', {}, h('dt', {}, t('sale.price')), price),
        h('div', {}, h('dt', {}, t('sale.left')), h('dd', {}, leftover, ' ', of, h('span', { class: 'bar', 'aria-hidden': 'true' }, bar))),
        h('div', {}, clockName, clock)),
      ticket, text)));
  let shown = null;
  let described;

  return () => {
    const phase = phaseOf(state.sale);
    put(title, state.sale.title);
    put(price, money(state.sale.price));
    document.title = `${state.sale.title} · miaosha`;
    if (state.sale.description !== described) text.replaceChildren(...about(described = state.sale.description));
    put(leftover, t('sale.count', { n: state.sale.left }));
    put(of, t('sale.of', { capacity: state.sale.capacity }));
    bar.style.transform = `scaleX(${state.sale.left / state.sale.capacity})`;
    put(clockName, phase === 'scheduled' ? t('sale.opens') : phase === 'closed' ? t('sale.over') : t('sale.closes'));
    put(clock, phase === 'closed' ? '—' : left(phase === 'scheduled' ? state.sale.opens_at : state.sale.closes_at));
    const face = faceOf(state, phase);
    if (face.key !== shown?.key) {
      const held = body.contains(document.activeElement);
      shown = { key: face.key, ...face.build(state, acts) };
      ticket.className = `ticket ${face.name}`;
      put(stub.firstChild, t(`face.${face.name}`));
      stub.firstChild.classList.toggle('dots', ['sending', 'pending', 'paying'].includes(face.name));
      body.replaceChildren(...[shown.node].flat());
      // The focus of a pressed button that is gone moves to what took its place.
      if (held) (body.querySelector('input, button, a') ?? body).focus({ preventScroll: true });
    }
    shown.update?.(state);
    put(stub.lastChild, face.until ? left(face.until) : '');
    ticket.classList.toggle('soon', face.name === 'held' && face.until - now() <= soonMs(state.sale));
  };
}
