// The shop's frame: the top, the foot, which page a path shows, and what is said when the shop cannot be reached.

import { h, put } from './dom.js';
import { onTrouble, onUnproved } from './api.js';
import { end, may, onChange, session, user } from './session.js';
import { onForgetful } from './storage.js';
import { LANGUAGES, language, speak, t } from './words.js';

/** A path, its page, and who may see it: any buyer, or who has a permission, or one of some. */
const ROUTES = [
  [/^\/$/, () => import('./pages/sales.js')],
  [/^\/sales\/(\d+)$/, () => import('./pages/sale.js')],
  [/^\/(log-in|sign-up)$/, () => import('./pages/entry.js')],
  [/^\/orders$/, () => import('./pages/orders.js'), 'buyer'],
  [/^\/orders\/([A-Z0-9-]+)$/, () => import('./pages/order.js'), 'buyer'],
  [/^\/account$/, () => import('./pages/account.js'), 'buyer'],
  [/^\/second-factor$/, () => import('./pages/second-factor.js'), 'buyer'],
  [/^\/check-in$/, () => import('./pages/check-in.js'), ['check_in', 'steward']],
  [/^\/desk$/, () => import('./desk/sales.js'), 'read'],
  [/^\/desk\/new$/, () => import('./desk/new.js'), 'sell'],
  [/^\/desk\/sales\/(\d+)$/, () => import('./desk/sale.js'), 'read'],
  [/^\/desk\/sales\/(\d+)\/edit$/, () => import('./desk/edit.js'), 'sell'],
  [/^\/desk\/refund$/, () => import('./desk/refund.js'), 'refund'],
  [/^\/desk\/refunds$/, () => import('./desk/refunds.js'), 'read'],
  [/^\/desk\/parked$/, () => import('./desk/parked.js'), 'read'],
  [/^\/desk\/audit$/, () => import('./desk/audit.js'), 'read'],
  [/^\/desk\/journal$/, () => import('./desk/journal.js'), 'journal'],
];

const main = document.getElementById('main');
let shown = new AbortController();
let shownFor;

/** Goes to a path of the shop. */
export function go(path, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  show(true);
}

/** Where to come back to after logging in. */
export const entrance = () => `/log-in?to=${encodeURIComponent(location.pathname)}`;

async function show(moved) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  shownFor = session()?.token;
  const found = ROUTES.find(([pattern]) => pattern.test(location.pathname));
  const [pattern, load, who] = found ?? [];
  try {
    top();
    if (who && !session()) return go(entrance(), { replace: true });
    if (who && who !== 'buyer' && ![who].flat().some((permission) => may(permission))) return blank(user().may?.length ? 'page.not_yours' : 'page.forbidden', moved);
    if (!found) return blank('page.nothing', moved);
    const page = await load();
    if (signal.aborted) return undefined;
    const view = page.default({ signal, of: location.pathname.match(pattern).slice(1), go });
    main.replaceChildren(view);
    document.title = `${main.querySelector('h1')?.textContent || 'miaosha'} · miaosha`;
    if (moved) settle();
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    console.error(error);
    return blank('page.broken', moved);
  }
}

function settle() {
  scrollTo(0, 0);
  const first = main.querySelector('[autofocus]');
  if (first) return first.focus();
  const heading = main.querySelector('h1');
  heading?.setAttribute('tabindex', '-1');
  return (heading ?? main).focus({ preventScroll: true });
}

function blank(key, moved) {
  main.replaceChildren(h('div', { class: 'narrow' }, h('h1', {}, t(key)), h('p', {}, h('a', { href: '/' }, t('nav.sales')))));
  document.title = `${t(key)} · miaosha`;
  if (moved) settle();
}

function top() {
  const link = (href, words, kind) => h('a', { href, class: kind, 'aria-current': href === location.pathname && 'page' }, words);
  const other = Object.keys(LANGUAGES).find((code) => code !== language);
  const links = [link('/', t('nav.sales'))];
  if (session()) links.push(link('/orders', t('nav.orders')));
  if (may('read')) links.push(link('/desk', t('nav.desk')));
  if (may('check_in') || may('steward')) links.push(link('/check-in', t('nav.check_in')));
  if (session()) links.push(link('/account', user().name, 'name'));
  else links.push(link('/log-in', t('nav.log_in')), link('/sign-up', t('nav.sign_up')));
  const tongue = h('button', {
    type: 'button', class: 'tongue', lang: other, onclick: () => speak(other).then(() => show(false), console.error),
  }, LANGUAGES[other]);
  const brand = h('a', { class: 'brand', href: '/', 'aria-label': t('nav.home') },
    h('span', { class: 'seal', 'aria-hidden': 'true', lang: 'zh-TW' }, '秒'), h('span', { 'aria-hidden': 'true' }, 'miaosha'));
  document.getElementById('top').replaceChildren(brand, h('nav', { 'aria-label': t('nav.name') }, links), tongue);
  put(document.getElementById('foot'), t('foot'));
  put(document.getElementById('skip'), t('nav.skip'));
  if (notice.firstChild) notify();
}

const notice = document.getElementById('notice');

function notify() {
  const close = h('button', { type: 'button', class: 'plain', onclick: () => { notice.replaceChildren(); main.focus(); } }, t('notice.close'));
  notice.replaceChildren(h('p', {}, t('notice.forgetful')), close);
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  go(url.pathname + url.search);
});
addEventListener('popstate', () => show(true));
onTrouble((what) => {
  const news = document.getElementById('news');
  news.classList.toggle('up', Boolean(what));
  put(news, what ? t(`trouble.${what}`) : '');
});
onChange(() => { if (session()?.token !== shownFor) show(false); });
onForgetful(notify);
onUnproved(() => go(`/second-factor?to=${encodeURIComponent(location.pathname + location.search)}`, { replace: true }));

export function logOut() {
  end();
  go('/');
}

try {
  await speak();
  show(false);
} catch (error) {
  // There are no words but those the page came with.
  console.error(error);
  document.getElementById('late')?.classList.add('now');
}
