// The step at which a mailed code is given back: for signing up, logging in, a new password, another address.

import { field, h, put } from '../dom.js';
import { Problem, call } from '../api.js';
import { againIn, askCodeAgain, codeOf, forgetCode } from '../codes.js';
import { hour, t } from '../words.js';

const DIGITS = 6;
const TICK_MS = 1_000;

/** As a mail writes it, with a space, or as a Chinese keyboard does, with wide digits. */
const plain = (text) => text.normalize('NFKC').replace(/[\s-]/g, '');

/**
 * `lead` are the words that say where the code went, `button` those of what is done with it. With `fresh` it sets a new password too.
 * `done` is called with the login that the code was good for; `back` to ask anew, with what is to be said there.
 */
export function codeStep({ way, lead, button, fresh, signal, done, back }) {
  let waiting = codeOf(way);
  let over = false;
  const told = h('p', { class: 'lead' });
  const code = field(t('code.code'), h('input', { type: 'text', name: 'code', class: 'digits', inputmode: 'numeric', autocomplete: 'one-time-code', autofocus: true, required: true, maxlength: 40, spellcheck: 'false' }), t('code.hint'));
  const password = fresh && field(t('account.new'), h('input', { type: 'password', name: 'new-password', autocomplete: 'new-password', required: true, maxlength: 128 }), t('entry.password_hint'));
  const owner = fresh && h('input', { type: 'text', autocomplete: 'username', value: waiting.address, hidden: true });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const good = h('p', { class: 'good', role: 'status' });
  const submit = h('button', { class: 'big' }, button);
  const wait = h('p', { class: 'hint', id: 'code-wait' });
  // Disabled in words only, so that the focus stays where it is.
  const again = h('button', { type: 'button', class: 'plain', 'aria-describedby': 'code-wait', onclick: renew }, t('code.again'));
  const other = h('button', { type: 'button', class: 'plain', onclick: () => leave('') }, t('code.other'));
  const form = h('form', { novalidate: true, onsubmit: (event) => { event.preventDefault(); attempt(prove); } }, owner, code.node, password && password.node, wrong, submit);
  const ticks = setInterval(tick, TICK_MS);
  signal.addEventListener('abort', () => clearInterval(ticks));
  tick();
  return h('div', {}, told, form, good, h('div', { class: 'row' }, again, other), wait);

  function tick() {
    put(told, t(lead, { address: waiting.address, time: hour(waiting.good_until) }));
    const seconds = over ? 0 : againIn(waiting);
    put(wait, seconds > 0 ? t('code.again_in', { n: seconds }) : '');
    if (seconds > 0) again.setAttribute('aria-disabled', 'true');
    else again.removeAttribute('aria-disabled');
  }

  async function attempt(act) {
    if (submit.disabled) return;
    for (const one of [code, password]) if (one) one.wrong('');
    put(wrong, '');
    put(good, '');
    submit.disabled = true;
    try {
      await act();
    } catch (error) {
      if (signal.aborted) return;
      refused(error instanceof Problem ? error : new Problem('internal'));
    }
    submit.disabled = false;
  }

  async function prove() {
    const typed = plain(code.control.value);
    // Not sent: a slip of the hand costs no try.
    if (!new RegExp(`^\\d{${DIGITS}}$`).test(typed)) return blame(code, t('rule.digits'));
    const body = { ticket: waiting.ticket, code: typed };
    if (password) body.new_password = password.control.value;
    const welcome = await call('POST', '/v1/codes/proof', { body, signal });
    forgetCode();
    return done(welcome);
  }

  function renew() {
    if (again.hasAttribute('aria-disabled')) return undefined;
    return waiting.request ? attempt(renewed) : leave(t('code.password_again'));
  }

  async function renewed() {
    await askCodeAgain(waiting, signal);
    waiting = codeOf(way);
    over = false;
    code.control.value = '';
    put(good, t('code.renewed'));
    tick();
    code.control.focus();
  }

  function leave(why) {
    const { about } = waiting;
    forgetCode();
    back({ ...about, why });
  }

  function refused(problem) {
    const { kind, facts } = problem;
    if (kind === 'code_over' || (kind === 'wrong_code' && facts?.tries_left === 0)) return ended();
    if (kind === 'wrong_code' && facts?.tries_left) return blame(code, t('code.wrong', { n: facts.tries_left }));
    const blamed = { code, new_password: password }[problem.field];
    return blamed ? blame(blamed, problem.words) : put(wrong, problem.words);
  }

  /** There is one thing left to do. */
  function ended() {
    over = true;
    code.wrong(t('problem.code_over'));
    tick();
    again.focus();
  }

  function blame(which, words) {
    which.wrong(words);
    which.control.focus();
    which.control.select();
  }
}
