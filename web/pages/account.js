// The account: logging out, the password, the address, one's own data.

import { field, h, keep, put, say } from '../dom.js';
import { Problem, call } from '../api.js';
import { begin, end, user } from '../session.js';
import { t } from '../words.js';
import { address } from './address.js';
import { sessions } from './sessions.js';

/** What is to be said after the page was made anew for another login of the same person. */
let after = '';

export default function account({ signal, go }) {
  const { name, email } = user();
  const told = h('p', { role: 'status', class: 'good' }, after);
  after = '';
  const wrong = h('p', { role: 'alert', class: 'wrong' });
  const button = (key, act, kind = 'plain') => h('button', { type: 'button', class: kind, onclick: () => attempt(act) }, t(key));

  const owner = () => h('input', { type: 'text', autocomplete: 'username', value: email, hidden: true });
  const secret = (key, autocomplete) => field(t(key), h('input', { type: 'password', autocomplete, required: true, maxlength: 128 }));
  const [old, fresh, last] = [secret('account.old', 'current-password'), secret('account.new', 'new-password'), secret('account.old', 'current-password')];
  const way = h('div', {});
  let kept = null;
  const change = h('form', { novalidate: true, onsubmit: (event) => attempt(changed, event) }, owner(), old.node, fresh.node, h('button', {}, t('account.password')));
  const erase = h('form', { novalidate: true, onsubmit: (event) => attempt(erased, event) }, owner(), h('p', {}, t('account.erase_text')), last.node, way, h('button', {}, t('account.erase')));

  return h('div', { class: 'narrow' }, h('h1', {}, t('account.title')), h('p', { class: 'lead' }, `${name} · ${email}`), told, wrong,
    h('section', { class: 'paper' }, h('div', { class: 'row' }, button('account.out', leave), button('account.out_all', outEverywhere)), h('p', { class: 'hint' }, t('account.out_all_text'))),
    sessions({ signal }),
    user().may?.length > 0 && h('p', {}, h('a', { href: '/second-factor?to=/account' }, t('factor.title'))),
    h('section', { class: 'paper' }, h('h2', {}, t('account.password')), change),
    address({ owner, signal, go, done: moved }),
    h('section', { class: 'paper' }, h('h2', {}, t('account.data')), button('account.export', exported), h('details', {}, h('summary', {}, t('account.erase')), erase)));

  async function attempt(act, event) {
    event?.preventDefault();
    put(wrong, '');
    put(told, t('account.working'));
    for (const one of [old, fresh, last]) one.wrong('');
    try {
      put(told, (await act()) ?? '');
    } catch (error) {
      if (signal.aborted) return;
      put(told, '');
      const problem = error instanceof Problem ? error : new Problem('internal');
      if (act === erased && problem.facts?.reservations) return inTheWay(problem.facts);
      const blamed = { new_password: fresh, password: act === erased ? last : old }[problem.field];
      if (blamed) blamed.wrong(problem.kind === 'forbidden' ? t('account.not_it') : problem.words);
      else put(wrong, problem.words);
    }
  }

  async function leave() {
    // The shop forgets this login, too; without a line the browser does at least.
    await call('DELETE', '/v1/sessions/current', { signal }).catch(() => {});
    out();
  }

  function out() {
    end();
    go('/', { replace: true });
  }

  async function outEverywhere() {
    await call('DELETE', '/v1/sessions', { signal });
    out();
  }

  async function changed() {
    const body = { password: old.control.value, new_password: fresh.control.value };
    // Every login of before is over; this one goes on with a token of its own.
    const welcome = await call('PUT', '/v1/me/password', { body });
    after = t('account.changed');
    begin(welcome);
    return after;
  }

  function moved(welcome) {
    after = t('address.changed', { address: welcome.user.email });
    begin(welcome);
    say(after);
    go('/account', { replace: true });
  }

  async function exported() {
    keep(await call('GET', '/v1/me/export', { signal, as: 'blob' }), 'miaosha.json');
  }

  async function erased() {
    const body = { password: last.control.value };
    if (kept?.checked) body.orders = 'keep';
    await call('DELETE', '/v1/me', { body, signal });
    out();
  }

  /** What must end first; or else what is lost, which takes a word. */
  function inTheWay({ reservations, orders, units }) {
    const item = (href, name, ...rest) => h('li', {}, h('a', { href }, name), ...rest);
    const name = ({ sale_id, sale_title }) => sale_title ?? `#${sale_id}`;
    kept = null;
    if (reservations.length) {
      way.replaceChildren(h('p', { class: 'wrong' }, t('account.erase_live')),
        h('ul', {}, reservations.map((row) => item(`/sales/${row.sale_id}`, name(row)))));
    } else {
      kept = h('input', { type: 'checkbox' });
      way.replaceChildren(h('p', { class: 'wrong' }, t('account.erase_tickets', { n: units })),
        h('ul', {}, orders.map((order) => item(`/orders/${order.order_number}`, name(order), ` · ${order.order_number}`))),
        h('p', {}, t('account.erase_refund')),
        h('label', { class: 'choice' }, kept, ' ', t('account.erase_keep')));
    }
    way.setAttribute('tabindex', '-1');
    way.focus();
  }
}
