// Who is logged in, and what this browser remembers of its tries. Tabs share both, and are told of each other's changes.

import { drop, forgetful, onWrite, read, write } from './storage.js';

const KEY = 'miaosha.session';
const ADMISSION = 'miaosha.admission';
const DEVICE = 'miaosha.device';
const listeners = new Set();
let current = stored();

function stored() {
  const login = read(KEY);
  return login?.token && login.user ? login : null;
}

export const session = () => current;
export const token = () => current?.token;
export const user = () => current?.user;
/** Whether the role has this permission. The shop's table is asked, once, at log-in; the shop itself refuses what is tried all the same. */
export const may = (permission) => Boolean(current?.user.may?.includes(permission));
/** Where who just logged in begins: whose only business is the door begins there. */
export const home = () => (may('check_in') && !may('read') ? '/check-in' : '/');

export function begin({ access_token, user, device }) {
  current = { token: access_token, user };
  const lasts = write(KEY, current);
  if (device) write(DEVICE, device);
  tell();
  if (!lasts) forgetful();
}

/** Another token of the same login: no page is made anew for it. */
export function renew({ access_token, user }) {
  current = { token: access_token, user };
  write(KEY, current);
}

/** What the shop knows this browser by when somebody logs in again: it opens nothing, and stays when he leaves. */
export const device = () => read(DEVICE);

export function end() {
  if (!current) return;
  current = null;
  drop(KEY);
  drop(ADMISSION);
  tell();
}

export function onChange(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

onWrite(KEY, () => {
  const before = current?.token;
  current = stored();
  if (current?.token !== before) tell();
});

// -- tries --

const name = (sale) => `miaosha.try.${current?.user.id}.${sale}`;

/** What this buyer last tried in the sale: `{quantity, question_id, answer, at, attempt_id?}`. Without an id it is on its way. */
export const tried = (sale) => read(name(sale));

export function remember(sale, attempt) {
  if (attempt) write(name(sale), attempt);
  else drop(name(sale));
}

/** Another tab's try. */
export const onTry = (sale, listener, signal) => onWrite(name(sale), listener, signal);

// -- the admission --

/** The last one: a reload need not ask for another. */
export function keepAdmission(sale, given) {
  write(ADMISSION, { user: current?.user.id, sale, given });
}

export function keptAdmission(sale) {
  const kept = read(ADMISSION);
  return kept && kept.sale === sale && kept.user === current?.user.id ? kept.given : null;
}
