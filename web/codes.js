// A code that was mailed, and what the page needs to give it back: kept for a reload by this tab alone, and never in an address.
// A request that holds a password is kept by the page only, so that a new code takes the password again after a reload.

import { call } from './api.js';
import { user } from './session.js';
import { readOwn, writeOwn } from './storage.js';

const KEY = 'miaosha.code';
/** As long as the shop takes a code. By this machine's clock on both sides, since that may differ from the shop's. */
const KEPT_MS = 600_000;
/** A mail takes a while: who asks again sooner has two codes, and gives back the wrong one. */
const AGAIN_MS = 30_000;

/** `{way, ticket, address, good_until, at, about, user}`; `request` is what mailed it, where that may be sent again. */
let current = readOwn(KEY);

/** Asks for a code that is to be given back on this way. `about` is what a form needs to be filled again. */
export async function askCode(way, request, about, signal) {
  const { method, path, body } = request;
  const { ticket, address, good_until } = await call(method, path, { body, signal });
  current = { way, ticket, address, good_until, at: Date.now(), about, user: user()?.id, request };
  writeOwn(KEY, { ...current, request: body.password === undefined ? request : undefined });
}

/** The same once more. */
export const askCodeAgain = ({ way, request, about }, signal) => askCode(way, request, about, signal);

/** The code this way waits for; nothing when it is too old, or another login's. */
export function codeOf(way) {
  if (current?.way !== way || current.user !== user()?.id) return null;
  return Math.abs(Date.now() - current.at) < KEPT_MS ? current : null;
}

/** In seconds. */
export const againIn = ({ at }) => Math.min(AGAIN_MS / 1000, Math.max(0, Math.ceil((at + AGAIN_MS - Date.now()) / 1000)));

export function forgetCode() {
  current = null;
  writeOwn(KEY);
}
