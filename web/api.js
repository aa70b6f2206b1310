// Calls to the shop. What went wrong is one kind of error, with what the person can do about it in its words.

import { end, token } from './session.js';
import { measured, mine } from './clock.js';
import { t, when } from './words.js';

/** Who has to wait for longer is told until when. */
const SOON_S = 60;

/** `kind` is the last word of the problem's type, or `offline` when there was no answer. */
export class Problem extends Error {
  constructor(kind, { status = 0, detail = '', field, wait = 1, facts } = {}) {
    super(detail || kind);
    Object.assign(this, { kind, status, detail, field, wait, facts });
  }

  /** Whether the same call may do better in a while. */
  get passes() {
    // Of two requests with one key the second waits for the first.
    if (this.kind === 'in_flight') return true;
    if (this.kind === 'network_full') return false;
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** In the person's language: what a field does not keep to, or else what kind of problem it is; the shop's own words where there are no others. */
  get words() {
    if (this.kind === 'too_many_requests' && this.wait > SOON_S) return t('problem.too_many_requests_until', { when: when(mine() + this.wait * 1000) });
    const { rule, min, max } = this.facts ?? {};
    const values = { min, max, minutes: max / 60_000 };
    const bounded = min === undefined ? rule : `${rule}_between`;
    return (rule && (t(`rule.${rule}.${this.field}`, values) ?? t(`rule.${bounded}`, values) ?? t(`rule.${rule}`, values)))
      ?? t(`problem.${this.kind}`)
      ?? (this.detail ? t('problem.other', { detail: this.detail }) : t('problem.internal'));
  }
}

// -- how the shop is reached --

const listeners = new Set();
let trouble = null;

let unproved = () => {};

/** `listener` is called when a page asks for what takes a second factor, and none was shown. */
export function onUnproved(listener) {
  unproved = listener;
}

/** `listener` is called with `offline`, `unavailable`, or nothing when all is well. */
export function onTrouble(listener) {
  listeners.add(listener);
}

function reached(what) {
  if (what === trouble) return;
  trouble = what;
  for (const listener of listeners) listener(trouble);
}

const SLOW_MS = 40_000;

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0'));
  return bytes.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * One call. `key` names what costs something, so that asking twice is asking once; a retry brings the same one. `bearer` is shown
 * instead of the login.
 */
export async function call(method, path, { body, key, signal, bearer = token(), as = 'json' } = {}) {
  signal?.throwIfAborted();
  const headers = { accept: 'application/json' };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method === 'POST' || method === 'PATCH') headers['idempotency-key'] = key ?? uuid();
  const sent = headers.authorization;
  const ends = new AbortController();
  const stop = () => ends.abort();
  const late = setTimeout(stop, SLOW_MS);
  signal?.addEventListener('abort', stop);
  const asked = mine();
  let response;
  let data;
  try {
    response = await fetch(path, {
      method, headers, cache: 'no-store', credentials: 'omit',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: ends.signal,
    });
    data = response.ok && as === 'blob' ? await response.blob() : await response.text();
  } catch (error) {
    signal?.throwIfAborted();
    reached('offline');
    throw new Problem('offline', { detail: String(error) });
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', stop);
  }
  if (response.ok) {
    reached(null);
    if (as === 'blob') return data;
    const value = data ? JSON.parse(data) : null;
    if (value?.server_time) measured(value.server_time, asked, mine());
    // A list in pages says where the next one is.
    if (as === 'page') return { items: value, next: /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link'))?.[1] ?? null };
    return value;
  }
  const problem = read(response, data);
  reached(problem.passes && problem.status !== 429 ? 'unavailable' : null);
  // A client whose login has ended learns it once, here.
  if (problem.status === 401 && sent && sent === `Bearer ${token()}` && problem.field === 'Authorization') end();
  if (problem.kind === 'second_factor_needed' && method === 'GET' && as !== 'blob') unproved();
  throw problem;
}

function read(response, text) {
  const wait = Number(response.headers.get('retry-after')) || 1;
  try {
    const facts = JSON.parse(text);
    const { type, detail, field } = facts;
    return new Problem(String(type).split('/').pop(), { status: response.status, detail, field, wait, facts });
  } catch {
    return new Problem(response.status < 500 ? 'invalid' : 'unavailable', { status: response.status, wait });
  }
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const done = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => { clearTimeout(done); reject(signal.reason); }, { once: true });
  });
}

const WAIT_MS_MAX = 15_000;

/** Calls until it is answered, waiting as long as the shop asks for and longer each time. `onWait` is called for every failure. */
export async function persist(work, signal, onWait) {
  for (let times = 0; ; times += 1) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || !error.passes) throw error;
      onWait?.(error, times + 1);
      const longer = Math.min(WAIT_MS_MAX, 500 * 1.6 ** times);
      await pause(Math.max(error.status ? error.wait * 1000 : 0, longer) * (0.8 + 0.4 * Math.random()), signal);
    }
  }
}
