// The proof of work that the shop may ask for: searched by a worker, or, where this browser lets none work, by the page itself, a
// few milliseconds at a time. Nothing is sent from here.

/** A worker that was not heard of for so long does not work. */
const SILENT_MS = 5_000;
/** So long the page itself searches before it does what else there is to do. */
const SLICE_MS = 12;
const TRIES = 1_000;

/** The solution as it is sent. `progress` is told the share of searches that would have found it by now, from 0 to 1. */
export async function solve({ challenge, bits }, progress, signal) {
  const tell = (tried) => progress(1 - Math.exp(-tried / 2 ** bits));
  try {
    return await byWorker(challenge, bits, tell, signal);
  } catch {
    signal.throwIfAborted();
    return byPage(challenge, bits, tell, signal);
  }
}

const OWN = new URL('./worker-proof.js', import.meta.url).href;
let policy;

/** Only this one script may become a worker. */
function script() {
  if (!globalThis.trustedTypes) return OWN;
  policy ??= trustedTypes.createPolicy('worker', {
    createScriptURL(url) {
      if (url !== OWN) throw new TypeError('no other script is a worker');
      return url;
    },
  });
  return policy.createScriptURL(OWN);
}

function byWorker(challenge, bits, tell, signal) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script(), { type: 'module' });
    const silent = setTimeout(() => over(reject, new Error('the worker is silent')), SILENT_MS);
    const stop = () => over(reject, signal.reason);
    signal.addEventListener('abort', stop);
    worker.onerror = () => over(reject, new Error('the worker does not work'));
    worker.onmessage = ({ data: { tried, solution } }) => {
      clearTimeout(silent);
      tell(tried);
      if (solution !== null) over(resolve, solution);
    };
    worker.postMessage({ challenge, bits });

    function over(settle, how) {
      clearTimeout(silent);
      signal.removeEventListener('abort', stop);
      worker.terminate();
      settle(how);
    }
  });
}

async function byPage(challenge, bits, tell, signal) {
  const { searcher } = await import('./search.js');
  const search = searcher(challenge, bits);
  for (;;) {
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end) {
      const solution = search.run(TRIES);
      if (solution !== null) return solution;
    }
    tell(search.tried());
    await new Promise((resolve) => { setTimeout(resolve); });
    signal.throwIfAborted();
  }
}
