// The truth, as it changes: of a sale, and of a buyer's standing in it. News come over the shop's line where it is up; else the
// shop is asked, and answers when there is something new.

import { Problem, call, pause, persist } from './api.js';
import { now } from './clock.js';
import { onTry, remember, tried } from './session.js';
import { up, watch } from './socket.js';

const WAIT_MS = 20_000;
const SALE_MS = 2_000;
const SALE_FAR_MS = 15_000;
const LIVE = ['standby', 'held', 'paying'];

/** The phase by the shop's clock, between two answers as well. */
export function phaseOf(sale) {
  if (sale.phase === 'closed' || now() >= sale.closes_at) return 'closed';
  if (now() < sale.opens_at) return 'scheduled';
  return sale.phase === 'scheduled' ? 'open' : sale.phase;
}

/** Phases that a sale is put into and taken out of by hand. */
const BY_HAND = ['paused', 'closed'];

/** Calls `heard` with the sale until the signal; asks only while the page is visible, and at once when something else was said of it. */
export async function followSale(id, heard, signal) {
  let sale = null;
  /** The newest version that was told of. */
  let told = 0;
  let rest = new AbortController();
  signal.addEventListener('abort', () => rest.abort());
  watch(id, ({ type, state, version = 0, left, all_paid }) => {
    if (type !== 'sale' || !sale) return;
    // Everybody is told of these in one moment, and of all that changed: nobody has to ask.
    const isWhole = version <= sale.version + 1 && state !== sale.phase && [state, sale.phase].some((phase) => BY_HAND.includes(phase));
    const isNew = version > told;
    told = Math.max(told, version);
    sale = { ...sale, phase: state, left, all_paid, version: isWhole ? Math.max(sale.version, version) : sale.version };
    heard(sale);
    // Once for each version: a copy that is behind is asked in its time, however often the figures move.
    if (isNew && sale.version < told) rest.abort();
  }, signal);
  for (;;) {
    sale = await persist(() => call('GET', `/v1/sales/${id}`, { signal }), signal);
    heard(sale);
    const isFar = sale.opens_at - now() > 60_000;
    rest = new AbortController();
    // A copy may be behind for a moment.
    const ms = !(sale.version < told) && (isFar || up()) ? SALE_FAR_MS : SALE_MS;
    await pause(ms * (0.8 + 0.4 * Math.random()), rest.signal).catch(() => signal.throwIfAborted());
    await lookedAt(signal);
  }
}

function lookedAt(signal) {
  if (!document.hidden) return undefined;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    document.addEventListener('visibilitychange', () => resolve(), { once: true, signal });
  });
}

/**
 * Where the buyer stands. `heard` gets `{status, …}` as the shop says it, or `{status: 'none'}`; a try that is on its way has
 * the status `sending`. `nudge()` asks at once.
 */
export function followStanding(sale, heard, signal) {
  let asking = new AbortController();
  let known = null;
  // Ask without waiting, whatever is known.
  let fresh = true;

  const nudge = () => { fresh = true; asking.abort(); };
  signal.addEventListener('abort', () => asking.abort());
  onTry(sale, nudge, signal);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) nudge(); }, { signal });
  watch(sale, told, signal);
  const done = run().catch((error) => { if (!signal.aborted) throw error; });
  return { nudge, done };

  async function run() {
    for (;;) {
      signal.throwIfAborted();
      asking = new AbortController();
      try {
        await turn(asking.signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!asking.signal.aborted) throw error;
      }
    }
  }

  async function turn(asked) {
    const attempt = tried(sale);
    if (attempt && !attempt.attempt_id) {
      heard({ status: 'sending', quantity: attempt.quantity });
      return nothing(asked);
    }
    if (known && !fresh && !attempt && (up() || !LIVE.includes(known.status))) return nothing(asked);
    const query = new URLSearchParams();
    if (attempt) query.set('attempt', attempt.attempt_id);
    const knows = known && !fresh;
    if (attempt || knows) query.set('wait_ms', knows ? WAIT_MS : 1);
    if (knows) query.set('version', known.version ?? 0);
    const standing = await persist(() => ask(query, asked), asked);
    asked.throwIfAborted();
    fresh = false;
    const { status } = standing;
    if (attempt && status === 'pending') {
      heard({ status, quantity: attempt.quantity });
      // From now on the shop may keep us waiting for the answer.
      known = { version: 0 };
      return undefined;
    }
    if (attempt) remember(sale, null);
    // Decided before, and something else is so by now.
    if (status === 'already') fresh = true;
    else heard((known = standing));
    return undefined;
  }

  /** What came over the line. It may be older than what was asked for meanwhile. */
  function told(word) {
    if (word.type === 'down' || word.type === 'up') return asking.abort();
    if (word.type !== 'status' || word.status === 'none') return undefined;
    const { reservation_id: id, version } = word;
    const attempt = tried(sale);
    // Ids grow with time.
    if (attempt && (!attempt.attempt_id || id < attempt.attempt_id)) return undefined;
    if (known?.reservation_id && (id < known.reservation_id || (id === known.reservation_id && version <= known.version))) return undefined;
    if (attempt) remember(sale, null);
    known = word;
    heard(word);
    return asking.abort();
  }

  async function ask(query, asked) {
    try {
      return await call('GET', `/v1/sales/${sale}/reservation?${query}`, { signal: asked });
    } catch (error) {
      if (error instanceof Problem && error.kind === 'not_found') return { status: 'none' };
      throw error;
    }
  }
}

/** Until the signal: the buyer asked for something, or a message came. */
const nothing = (signal) => new Promise((_, reject) => {
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
});
