// Logging in and signing up.

import { field, h, put } from '../dom.js';
import { Problem, call, uuid } from '../api.js';
import { begin } from '../session.js';
import { language, t } from '../words.js';

export default function entry({ signal, of: [which], go }) {
  const isNew = which === 'sign-up';
  const name = isNew && field(t('entry.name'), h('input', { type: 'text', name: 'name', autocomplete: 'name', required: true, maxlength: 100 }));
  const email = field(t('entry.email'), h('input', { type: 'email', name: 'email', autocomplete: 'username', required: true, maxlength: 254 }));
  const password = field(t('entry.password'),
    h('input', { type: 'password', name: 'password', autocomplete: isNew ? 'new-password' : 'current-password', required: true, maxlength: 128 }),
    isNew && t('entry.password_hint'));
  const fields = { name, email, password };
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const title = t(isNew ? 'entry.sign_up' : 'entry.log_in');
  const button = h('button', { class: 'big' }, title);
  const other = isNew ? ['/log-in', t('entry.to_log_in')] : ['/sign-up', t('entry.to_sign_up')];
  // One for this form: pressed twice, it signs up once.
  let key = uuid();
  const form = h('form', { novalidate: true, onsubmit: submit }, name && name.node, email.node, password.node, wrong, button);
  return h('div', { class: 'narrow' }, h('h1', {}, title), h('div', { class: 'paper' }, form),
    h('p', {}, h('a', { href: other[0] + location.search }, other[1])));

  async function submit(event) {
    event.preventDefault();
    put(wrong, '');
    for (const one of Object.values(fields)) if (one) one.wrong('');
    button.disabled = true;
    const body = { email: email.control.value, password: password.control.value };
    if (isNew) Object.assign(body, { name: name.control.value, locale: language });
    try {
      begin(await send(body));
      const to = new URLSearchParams(location.search).get('to') ?? '/';
      // Only ever a path of this shop.
      go(/^\/(?!\/)/.test(to) ? to : '/', { replace: true });
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      // What was refused is over; what is sent next is another wish.
      if (!problem.passes) key = uuid();
      const blamed = fields[problem.field];
      if (blamed) {
        blamed.wrong(problem.words);
        blamed.control.focus();
      } else {
        put(wrong, problem.words);
      }
      button.disabled = false;
    }
  }

  async function send(body) {
    if (!isNew) return call('POST', '/v1/sessions', { body, key: uuid(), signal });
    return call('POST', '/v1/users', { body, key, signal });
  }
}
