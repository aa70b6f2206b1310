// The shop's own line to this page: news of sales and of the buyer's standing, without asking. Where there is none, or while it
// is broken, the page asks; nothing depends on it but how soon the page knows.

import { end, onChange, token } from './session.js';
import { measured, mine } from './clock.js';

const PATIENCE_MS = { first: 1_000, max: 60_000 };
/** A line over which nothing comes for so long is dead. The shop's own heartbeats are not seen from here. */
const PING_MS = 25_000;
const ANSWER_MS = 10_000;

const watches = new Map();
let line = null;
let isUp = false;
let wait = PATIENCE_MS.first;
let again = null;
let stays = false;
let heart = null;
let heard = 0;

/** Whether news come by themselves. */
export const up = () => isUp;

/** `listener` gets `{type: 'status' | 'sale', …}` of this sale, and `{type: 'up' | 'down'}` of the connection. */
export function watch(sale, listener, signal) {
  const id = Number(sale);
  if (!watches.has(id)) watches.set(id, new Set());
  watches.get(id).add(listener);
  signal.addEventListener('abort', () => {
    watches.get(id)?.delete(listener);
    if (watches.get(id)?.size) return;
    watches.delete(id);
    say({ type: 'unwatch', sale: id });
    if (!watches.size) hangUp();
  });
  if (line && isUp) say({ type: 'watch', sale: id });
  else open();
}

function say(word) {
  if (line && line.readyState === line.OPEN) line.send(JSON.stringify(word));
}

function open() {
  if (line || again || stays || !token() || document.hidden || !watches.size) return undefined;
  let mineOwn;
  try {
    // Who says at once whose it is finds room where strangers find none.
    const said = ['miaosha.v1', `bearer.${token()}`];
    mineOwn = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`, said);
  } catch {
    // There are none in this browser, or this one may not be opened: tried again, seldom.
    return lost();
  }
  line = mineOwn;
  mineOwn.onopen = () => say({ type: 'hello', sales: [...watches.keys()] });
  mineOwn.onmessage = ({ data }) => { if (line === mineOwn) take(JSON.parse(data)); };
  mineOwn.onclose = () => { if (line === mineOwn) lost(); };
  return undefined;
}

function take(word) {
  heard = mine();
  if (word.server_time) measured(word.server_time, heard, heard);
  if (word.type === 'time' && !isUp) {
    isUp = true;
    wait = PATIENCE_MS.first;
    clearInterval(heart);
    heart = setInterval(beat, PING_MS);
    tell({ type: 'up' });
  } else if (word.type === 'bye') {
    stays = word.next !== 'come_back';
    if (word.come_back_in_ms) wait = word.come_back_in_ms;
    if (word.reason === 'logged_out') end();
  } else if (word.type === 'status' || word.type === 'sale') {
    for (const listener of watches.get(word.sale) ?? []) listener(word);
  }
}

function tell(word) {
  for (const listeners of watches.values()) for (const listener of listeners) listener(word);
}

function beat() {
  const asked = mine();
  say({ type: 'ping' });
  const silent = line;
  setTimeout(() => {
    if (line !== silent || heard >= asked) return;
    silent.close();
    lost();
  }, ANSWER_MS);
}

function lost() {
  const wasUp = isUp;
  line = null;
  isUp = false;
  clearInterval(heart);
  if (wasUp) tell({ type: 'down' });
  if (stays || !watches.size) return;
  again = setTimeout(() => {
    again = null;
    open();
  }, wait * (0.7 + 0.6 * Math.random()));
  wait = Math.min(PATIENCE_MS.max, wait * 2);
}

function hangUp() {
  clearTimeout(again);
  again = null;
  const old = line;
  line = null;
  isUp = false;
  clearInterval(heart);
  old?.close();
}

// Another buyer, another line.
onChange(() => {
  hangUp();
  stays = false;
  wait = PATIENCE_MS.first;
  open();
});
document.addEventListener('visibilitychange', open);
addEventListener('online', () => {
  clearTimeout(again);
  again = null;
  open();
});
