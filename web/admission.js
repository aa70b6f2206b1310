// The right to press the button of one sale. The page asks for it quietly while its buyer looks, so that the press has it at hand;
// when it ran out, it is asked for as soon as the buyer does something, and at the latest by the press. What the shop wants for it,
// or why it gives none, is in `state`.

import { Problem, call, persist } from './api.js';
import { now } from './clock.js';
import { keepAdmission, keptAdmission } from './session.js';
import { solve } from './proof.js';

/** What ends sooner than this is over: a press takes its time. */
const EDGE_MS = 500;
/** Challenges of one request. The shop asks anew when a solution came late, not when it was right. */
const PROOFS_MAX = 3;
/** After a refusal that names a time. */
const AGAIN_MS = 1_000;
const FULL_MS = 15_000;

/** Refusals that are a state of their own, by the kind of problem. */
const STATES = { too_early: 'early', cooling_off: 'cooling', lapsed_out: 'out', network_full: 'full', has_reservation: 'has', proof_stopped: 'stopped' };

/** Those that leave the buyer before the form. */
const OPEN = ['failed', 'has', 'stopped'];

/** Whether the shop took back what was shown to it: another may do. */
export const isOver = ({ status, kind }) => status === 401 || kind === 'new_admission_needed' || kind === 'other_sale';

/** Whether `state` says it, so that nothing else need to. */
export const isState = ({ kind }) => kind in STATES;

/**
 * `state.name` is `none`, `ready`, `proof` (`share` of it is done), or why there is none: `early`, `cooling` (both have `until`),
 * `full`, `out`, `has` (a reservation), `stopped`, `failed` (`problem` says how). `state.question` is what this buyer is asked, null
 * for nothing, and not there while it is not known; `waiting` is why it is being asked for again. `changed` is called when something is new.
 */
export function admissionTo(sale, { changed, signal }) {
  const state = { name: 'none', waiting: null };
  let given = null;
  let asking = null;
  let proving = null;
  const luck = Math.random();
  const kept = keptAdmission(sale);
  if (kept && now() < kept.until - EDGE_MS) take(kept);
  return { state, look, touch, retry, right, renewed, stop };

  function take(answer) {
    given = answer;
    Object.assign(state, { name: 'ready', question: answer.question });
  }

  function isGood() {
    return Boolean(given) && now() < given.until - EDGE_MS;
  }

  /** The buyer looks: asks if it was not asked before, or if the time has come at which it makes sense to. */
  function look({ opens_at }) {
    // Of those who were here before its time, not all in the same moment.
    const later = state.name === 'early' ? luck * Math.max(0, opens_at - state.until) / 4 : 0;
    if (asking || (state.name !== 'none' && !(now() >= state.again + later))) return;
    ask().catch(quiet);
  }

  /** The buyer does something, and may press soon. */
  function touch() {
    if (state.name === 'ready') retry();
  }

  /** The buyer wants it now. */
  function retry() {
    if (asking || isGood()) return;
    if (OPEN.includes(state.name)) state.name = 'none';
    ask().catch(quiet);
  }

  /** For the press. */
  async function right() {
    if (!isGood()) await ask();
    return given.admission;
  }

  /** For the press, when the shop refused what it had. */
  async function renewed() {
    given = null;
    return right();
  }

  /** The buyer does not want this browser to search on. */
  function stop() {
    proving?.abort(new Problem('proof_stopped'));
  }

  function quiet(error) {
    if (!signal.aborted && !(error instanceof Problem)) console.error(error);
  }

  function ask() {
    asking ??= asked().finally(() => {
      asking = null;
      state.waiting = null;
      changed();
    });
    return asking;
  }

  async function asked() {
    try {
      let body = {};
      for (let proofs = 0; ; proofs += 1) {
        const answer = await once(body);
        if (answer.admission) {
          keepAdmission(sale, answer);
          return take(answer);
        }
        if (proofs === PROOFS_MAX) throw answer;
        body = answer.kind === 'proof_needed' ? await proven(answer.facts) : {};
      }
    } catch (error) {
      signal.throwIfAborted();
      refused(error);
      throw error;
    }
  }

  /** The admission, or the problem that a proof would solve. */
  async function once(body) {
    try {
      return await persist(() => call('POST', `/v1/sales/${sale}/admission`, { body, signal }), signal, (problem) => {
        state.waiting = problem;
        changed();
      });
    } catch (error) {
      if (error.kind === 'proof_needed' || error.kind === 'wrong_proof') return error;
      throw error;
    }
  }

  async function proven({ challenge, bits }) {
    proving = new AbortController();
    const leave = () => proving.abort(signal.reason);
    signal.addEventListener('abort', leave);
    Object.assign(state, { name: 'proof', share: 0 });
    changed();
    try {
      const solution = await solve({ challenge, bits }, (share) => {
        state.share = share;
        changed();
      }, proving.signal);
      return { challenge, solution };
    } finally {
      signal.removeEventListener('abort', leave);
      proving = null;
    }
  }

  function refused(error) {
    given = null;
    const problem = error instanceof Problem ? error : new Problem('internal');
    const { kind, wait, facts } = problem;
    const name = STATES[kind] ?? 'failed';
    const until = facts?.until ?? facts?.from;
    Object.assign(state, { name, until, problem, again: undefined });
    if (name === 'early' || name === 'cooling') state.again = Math.max(until, now() + AGAIN_MS);
    if (name === 'full') state.again = now() + Math.max(FULL_MS, wait * 1000);
  }
}
