// The search for a proof, beside the page: it says how many numbers it tried, and what it found.

import { searcher } from './search.js';

const TRIES = 20_000;

addEventListener('message', ({ data: { challenge, bits } }) => {
  const search = searcher(challenge, bits);
  for (;;) {
    const solution = search.run(TRIES);
    postMessage({ tried: search.tried(), solution });
    if (solution !== null) return;
  }
});
