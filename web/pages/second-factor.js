// The second factor: setting one up with an authenticator, with the codes for its loss; or, where there is one, showing it.

import { field, h, put } from '../dom.js';
import { Problem, call } from '../api.js';
import { begin, home, renew } from '../session.js';
import { t } from '../words.js';

export default function secondFactor({ signal, go }) {
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const place = h('div', {}, h('p', {}, t('wait.loading')));
  begins();
  return h('div', { class: 'narrow' }, h('h1', {}, t('factor.title')), h('p', { class: 'lead' }, t('factor.lead')), place, wrong);

  async function begins() {
    try {
      const { set } = await call('GET', '/v1/me/second-factor', { signal });
      show(set ? shows() : offers());
    } catch (error) {
      failed(error);
    }
  }

  function show(...nodes) {
    place.replaceChildren(...nodes);
    place.querySelector('input')?.focus();
  }

  /** One field and a button; `act` gets what was typed. */
  function form(key, input, button, act) {
    const typed = field(t(key), input);
    const submit = async (event) => {
      event.preventDefault();
      put(wrong, '');
      typed.wrong('');
      try {
        await act(input.value.trim());
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.field) typed.wrong(error.field === 'password' && error.kind === 'forbidden' ? t('account.not_it') : error.words);
        else failed(error);
        input.focus();
      }
    };
    return h('form', { class: 'paper', novalidate: true, onsubmit: submit }, typed.node, h('button', { class: 'big' }, t(button)));
  }

  function code() {
    return h('input', { type: 'text', class: 'code', autocomplete: 'one-time-code', spellcheck: 'false', maxlength: 64, required: true });
  }

  function shows() {
    return form('factor.code', code(), 'factor.show', async (typed) => {
      begin(await call('POST', '/v1/me/second-factor/codes', { body: { code: typed }, signal }));
      back();
    });
  }

  function offers() {
    const password = h('input', { type: 'password', autocomplete: 'current-password', required: true, maxlength: 128 });
    return form('account.old', password, 'factor.begin', async (typed) => {
      const { secret, uri } = await call('POST', '/v1/me/second-factor', { body: { password: typed }, signal });
      show(h('section', { class: 'paper' }, h('p', {}, t('factor.key_text')), h('p', {}, t('factor.key'), ' ', h('span', { class: 'code' }, secret.replace(/(.{4})(?=.)/g, '$1 '))),
        h('p', {}, h('a', { class: 'button plain', href: uri }, t('factor.open')))), confirms());
    });
  }

  function confirms() {
    return form('factor.first', code(), 'factor.confirm', async (typed) => {
      const { recovery_codes, ...welcome } = await call('PUT', '/v1/me/second-factor', { body: { code: typed }, signal });
      // Not yet as another login: the page is made anew for that, and these are told this once.
      renew(welcome);
      const title = h('h2', { tabindex: -1 }, t('factor.recovery'));
      place.replaceChildren(h('section', { class: 'paper' }, title, h('p', {}, t('factor.recovery_text')), h('ul', { class: 'code' }, recovery_codes.map((one) => h('li', {}, one))),
        h('button', { type: 'button', class: 'big', onclick: () => { begin(welcome); back(); } }, t('factor.kept'))));
      title.focus();
    });
  }

  function back() {
    const to = new URLSearchParams(location.search).get('to') ?? home();
    // Only ever a path of this shop.
    go(/^\/(?!\/)/.test(to) ? to : home(), { replace: true });
  }

  function failed(error) {
    if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
  }
}
