// What the shop remembers in this browser. Where the browser refuses, or has no room, it is remembered by the page alone, until
// that is closed or loaded anew; a login that is remembered no better is told of, once.

/** What the browser did not take: the text under its key, or null for what it should have forgotten. */
const memory = new Map();
const listeners = new Set();

/** What was written under the key, or null. */
export function read(key) {
  try {
    return JSON.parse(memory.has(key) ? memory.get(key) : localStorage.getItem(key));
  } catch {
    return null;
  }
}

/** Whether the browser took it, and will have it after a reload. */
export function write(key, value) {
  const text = JSON.stringify(value);
  try {
    localStorage.setItem(key, text);
    if (localStorage.getItem(key) === text) {
      memory.delete(key);
      return true;
    }
  } catch {
    // Told by the answer.
  }
  // What was there before is not to come back with a reload: it may be another user's.
  drop(key);
  memory.set(key, text);
  return false;
}

export function drop(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    memory.set(key, null);
  }
}

/** `listener` is called when another tab wrote or dropped what is under the key. */
export function onWrite(key, listener, signal) {
  addEventListener('storage', (event) => {
    if (event.key !== key && event.key !== null) return;
    memory.delete(key);
    listener();
  }, { signal });
}

// -- what is for this tab alone, and ends with it --

export function readOwn(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

/** Where the browser does not take it, it does not come back with a reload, nor does what was there before. */
export function writeOwn(key, value) {
  try {
    sessionStorage.removeItem(key);
    if (value !== undefined) sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The page remembers it.
  }
}

/** `listener` is called when a login lasts no longer than the page. */
export function onForgetful(listener) {
  listeners.add(listener);
}

export function forgetful() {
  for (const listener of listeners) listener();
  listeners.clear();
}
