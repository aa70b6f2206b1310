// Logging in and signing up: by a password, or by a code that is mailed. A new account exists when its code was given back.

import { field, h, put } from '../dom.js';
import { Problem, call, uuid } from '../api.js';
import { askCode, codeOf } from '../codes.js';
import { begin, device, home } from '../session.js';
import { language, t } from '../words.js';
import { codeStep } from './code.js';

/** By the name that the address of the page has for it: what it is called, what is to be known, what its button says. */
const WAYS = {
  password: { title: 'entry.log_in', button: 'entry.log_in', fields: ['email', 'password', 'code'] },
  code: { title: 'entry.by_code', text: 'entry.by_code_text', button: 'code.send', fields: ['email'], lead: 'code.lead_if', proof: 'entry.log_in' },
  new_password: { title: 'entry.new_password', text: 'entry.new_password_text', button: 'code.send', fields: ['email'], lead: 'code.lead_if', proof: 'code.set' },
  sign_up: { title: 'entry.sign_up', button: 'entry.sign_up', fields: ['name', 'email', 'password'], lead: 'code.lead', proof: 'entry.sign_up' },
};

/** What was typed before the code step that the person came back from; and why they did. */
let draft = {};

function wayOf(which) {
  if (which === 'sign-up') return 'sign_up';
  const by = new URLSearchParams(location.search).get('by');
  return by === 'code' || by === 'new_password' ? by : 'password';
}

/** A link to another way in, that comes back to the same place. */
function link(path, words, by) {
  const query = new URLSearchParams(location.search);
  query.delete('by');
  if (by) query.set('by', by);
  const search = query.toString();
  return h('p', {}, h('a', { href: search ? `${path}?${search}` : path }, t(words)));
}

const LINKS = {
  password: () => [link('/log-in', 'entry.to_code', 'code'), link('/log-in', 'entry.forgot', 'new_password'), link('/sign-up', 'entry.to_sign_up')],
  code: () => [link('/log-in', 'entry.to_password'), link('/sign-up', 'entry.to_sign_up')],
  new_password: () => [link('/log-in', 'entry.to_password'), link('/sign-up', 'entry.to_sign_up')],
  sign_up: () => [link('/log-in', 'entry.to_log_in')],
};

export default function entry({ signal, of: [which], go }) {
  const way = wayOf(which);
  const { title, text, lead, proof } = WAYS[way];
  const anew = () => go(location.pathname + location.search, { replace: true });
  if (codeOf(way)) {
    const step = codeStep({
      way, lead, button: t(proof), fresh: way === 'new_password', signal, done: enter,
      back(before) {
        draft = before;
        anew();
      },
    });
    return h('div', { class: 'narrow' }, h('h1', {}, t('code.title')), h('div', { class: 'paper' }, step));
  }
  const form = asked({ way, signal, enter, anew });
  return h('div', { class: 'narrow' }, h('h1', {}, t(title)), text && h('p', { class: 'lead' }, t(text)), h('div', { class: 'paper' }, form), LINKS[way]());

  function enter(welcome) {
    begin(welcome);
    const to = new URLSearchParams(location.search).get('to') ?? home();
    // Only ever a path of this shop.
    go(/^\/(?!\/)/.test(to) ? to : '/', { replace: true });
  }
}

/** The form: what is asked of who comes in on this way. */
function asked({ way, signal, enter, anew }) {
  const { button, fields: names } = WAYS[way];
  const isNew = way === 'sign_up';
  const controls = {
    name: () => field(t('entry.name'), h('input', { type: 'text', name: 'name', autocomplete: 'name', required: true, maxlength: 100, value: draft.name })),
    email: () => field(t('entry.email'), h('input', { type: 'email', name: 'email', autocomplete: 'username', required: true, maxlength: 254, value: draft.email }), isNew && t('entry.email_hint')),
    password: () => field(t('entry.password'),
      h('input', { type: 'password', name: 'password', autocomplete: isNew ? 'new-password' : 'current-password', required: true, maxlength: 128, autofocus: Boolean(draft.why) }),
      isNew && t('entry.password_hint')),
    // Asked for when the shop says that the account has one.
    code: () => field(t('factor.code'), h('input', { type: 'text', class: 'code', autocomplete: 'one-time-code', spellcheck: 'false', maxlength: 64 }), t('factor.code_hint')),
  };
  const fields = Object.fromEntries(names.map((name) => [name, controls[name]()]));
  if (fields.code) fields.code.node.hidden = true;
  if (draft.why) fields.password.wrong(draft.why);
  draft = {};
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const press = h('button', { class: 'big' }, t(button));
  return h('form', { novalidate: true, onsubmit: submit }, Object.values(fields).map(({ node }) => node), wrong, press);

  async function submit(event) {
    event.preventDefault();
    put(wrong, '');
    for (const one of Object.values(fields)) one.wrong('');
    press.disabled = true;
    const body = Object.fromEntries(names.map((name) => [name, fields[name].control.value]));
    try {
      await send(body);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      const blamed = fields[problem.field];
      if (problem.kind === 'second_factor_needed' && fields.code?.node.hidden) {
        fields.code.node.hidden = false;
        fields.code.control.focus();
      } else if (blamed) {
        blamed.wrong(problem.words);
        blamed.control.focus();
      } else {
        put(wrong, problem.words);
      }
      press.disabled = false;
    }
  }

  async function send(body) {
    const { name, email, password, code = '' } = body;
    if (way === 'password') {
      const login = { email, password, device: device() ?? undefined, code: code.trim() || undefined };
      return enter(await call('POST', '/v1/sessions', { body: login, key: uuid(), signal }));
    }
    const request = { method: 'POST', path: isNew ? '/v1/users' : '/v1/codes', body: isNew ? { ...body, locale: language } : body };
    await askCode(way, request, { name, email }, signal);
    return anew();
  }
}
