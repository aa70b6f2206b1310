// What the ticket says of the admission: when it is there, what it wants, and why there is none.

import { h, put, say } from '../dom.js';
import { t, when } from '../words.js';

/** Which of it was said aloud last: faces are built anew, and nothing is said twice. */
let said = '';

/** The search for a proof: how far it is, and a way to end it. Not to be seen when there is none. */
export function checking(acts) {
  const bar = h('progress', { max: 1, value: 0, 'aria-label': t('proof.name') });
  const end = h('button', { type: 'button', class: 'plain', onclick: acts.stop }, t('proof.stop'));
  const begin = h('button', { type: 'button', class: 'plain', onclick: acts.retry }, t('proof.again'));
  const running = h('div', {}, h('p', {}, t('proof.text')), bar, end);
  const ended = h('div', {}, h('p', {}, t('proof.stopped')), begin);
  const node = h('div', { class: 'proof', hidden: true }, running, ended);
  return { node, update };

  function update({ name, share }) {
    const held = node.contains(document.activeElement);
    node.hidden = name !== 'proof' && name !== 'stopped';
    running.hidden = name !== 'proof';
    ended.hidden = name !== 'stopped';
    if (name === 'proof') bar.value = share;
    // The focus of a button that is gone moves to what is there instead.
    const next = node.hidden ? node.parentElement?.querySelector('input, .big') : running.hidden ? begin : end;
    if (held && next !== document.activeElement) next?.focus();
    if (name === said) return;
    if (name === 'proof') say(t('proof.text'));
    if (name === 'ready' && said === 'proof') say(t('proof.done'));
    said = name;
  }
}

/** Before the opening. */
export function scheduled({ standing }, acts) {
  const ready = h('p', { role: 'status' });
  const check = checking(acts);
  const log_in = standing.status === 'nobody' && h('p', {}, t('face.scheduled_log_in'), ' ', h('a', { href: `/log-in?to=${location.pathname}` }, t('nav.log_in')));
  return {
    node: [h('p', {}, t('face.scheduled_text')), ready, check.node, log_in].filter(Boolean),
    update({ admission, standing: { status } }) {
      check.update(admission);
      const { name, until } = admission;
      put(ready, status === 'none' && ['early', 'ready'].includes(name) ? t(`admission.${name}`, { when: until && when(until) }) : '');
    },
  };
}

/** After what was not paid for: until when, and that the page goes on by itself. */
export function cooling({ admission: { until } }) {
  return refused(t('face.cooling_text', { when: when(until) }));
}

/** After too much of it. */
export const out = () => refused(t('face.out_text'));

export function full(_, acts) {
  return refused(t('face.full_text'), h('button', { type: 'button', class: 'big', onclick: acts.retry }, t('face.again')));
}

function refused(text, ...more) {
  say(text);
  return { node: [h('p', {}, text), ...more] };
}
