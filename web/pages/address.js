// Another address for the account: it is so when the code that was mailed there was given back.

import { field, h, put } from '../dom.js';
import { Problem } from '../api.js';
import { askCode, codeOf } from '../codes.js';
import { t } from '../words.js';
import { codeStep } from './code.js';

const WAY = 'address';

/** What was typed before the code step that the person came back from; and why they did. */
let draft = {};

/** `done` is called with the login of the new address. */
export function address({ owner, signal, go, done }) {
  const anew = () => go('/account', { replace: true });
  const title = h('h2', {}, t('address.change'));
  if (codeOf(WAY)) {
    const step = codeStep({
      way: WAY, lead: 'code.lead_free', button: t('address.change'), signal, done,
      back(before) {
        draft = before;
        anew();
      },
    });
    return h('section', { class: 'paper address' }, title, step);
  }
  const email = field(t('address.new'), h('input', { type: 'email', autocomplete: 'email', required: true, maxlength: 254, value: draft.email }));
  const password = field(t('entry.password'), h('input', { type: 'password', autocomplete: 'current-password', required: true, maxlength: 128, autofocus: Boolean(draft.why) }));
  if (draft.why) password.wrong(draft.why);
  draft = {};
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const press = h('button', {}, t('code.send'));
  return h('section', { class: 'paper address' }, title, h('p', {}, t('address.text')),
    h('form', { novalidate: true, onsubmit: submit }, owner(), email.node, password.node, wrong, press));

  async function submit(event) {
    event.preventDefault();
    put(wrong, '');
    for (const one of [email, password]) one.wrong('');
    press.disabled = true;
    const body = { email: email.control.value, password: password.control.value };
    try {
      await askCode(WAY, { method: 'PUT', path: '/v1/me/email', body }, { email: body.email }, signal);
      anew();
    } catch (error) {
      if (signal.aborted) return;
      refused(error instanceof Problem ? error : new Problem('internal'));
      press.disabled = false;
    }
  }

  function refused(problem) {
    const blamed = { email, password }[problem.field];
    if (!blamed) return put(wrong, problem.words);
    const own = { forbidden: 'account.not_it', conflict: 'address.same' }[problem.kind];
    blamed.wrong(own ? t(own) : problem.words);
    return blamed.control.focus();
  }
}
