// Who is logged in, and what this browser remembers of its tries. Tabs share both, and hear of each other's changes.

const KEY = 'miaosha.session';
const listeners = new Set();
let current = read();

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export const session = () => current;
export const token = () => current?.token;
export const user = () => current?.user;
export const isOperator = () => current?.user.role === 'operator';

export function begin({ access_token, user }) {
  current = { token: access_token, user };
  localStorage.setItem(KEY, JSON.stringify(current));
  tell();
}

export function end() {
  if (!current) return;
  current = null;
  localStorage.removeItem(KEY);
  tell();
}

export function onChange(listener) {
  listeners.add(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

addEventListener('storage', (event) => {
  if (event.key !== KEY && event.key !== null) return;
  const before = current?.token;
  current = read();
  if (current?.token !== before) tell();
});

// -- tries --

const name = (sale) => `miaosha.try.${current?.user.id}.${sale}`;

/** What this buyer last tried in the sale: `{quantity, question_id, answer, at, attempt_id?}`. Without an id it is on its way. */
export function tried(sale) {
  try {
    return JSON.parse(localStorage.getItem(name(sale)));
  } catch {
    return null;
  }
}

export function remember(sale, attempt) {
  if (attempt) localStorage.setItem(name(sale), JSON.stringify(attempt));
  else localStorage.removeItem(name(sale));
}

/** Another tab's try. */
export function onTry(sale, listener, signal) {
  addEventListener('storage', (event) => { if (event.key === name(sale)) listener(); }, { signal });
}
