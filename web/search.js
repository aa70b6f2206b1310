// The search for what a proof of work wants: a number whose SHA-256, together with a challenge, begins with so many zero bits.
//
// The digest is our own: the browser's answers each one by a promise, which takes several times as long, and over plain HTTP it has none.
// Whatever of the text is the same for every number is digested once.

/** Fractions of the cube roots of the first 64 primes, and of the square roots of the first eight. */
const ROUND = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

const BLOCK = 64;
/** Where the text's length stands in its last block. */
const LENGTH_AT = 56;

const words = new Int32Array(64);

/** Digests the block of `bytes` at `at` into `state`. */
function digest(state, bytes, at) {
  for (let i = 0; i < 16; i += 1) {
    const byte = at + 4 * i;
    words[i] = (bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3];
  }
  for (let i = 16; i < 64; i += 1) {
    const early = words[i - 15];
    const late = words[i - 2];
    const low = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
    const high = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
    words[i] = words[i - 16] + low + words[i - 7] + high;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const turned = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + turned + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
    const other = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (other + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** Tries 0, 1, 2 and so on after `challenge`, which is ASCII. */
export function searcher(challenge, bits) {
  const text = new TextEncoder().encode(`${challenge}.`);
  const whole = text.length - (text.length % BLOCK);
  const before = Int32Array.from(START);
  for (let at = 0; at < whole; at += BLOCK) digest(before, text, at);
  const begun = text.length - whole;
  const rest = new Uint8Array(2 * BLOCK);
  const state = new Int32Array(8);
  let tried = 0;
  let digits = 0;
  rest.set(text.subarray(whole));
  longer();

  /** One more digit: the smallest number that has so many, and what ends the text behind it. */
  function longer() {
    digits += 1;
    rest.fill(0x30, begun, begun + digits);
    if (digits > 1) rest[begun] = 0x31;
    rest.fill(0, begun + digits);
    rest[begun + digits] = 0x80;
    const bitLength = 8 * (text.length + digits);
    const end = last() + BLOCK;
    for (let i = 1; i <= 4; i += 1) rest[end - i] = bitLength >>> (8 * (i - 1));
  }

  /** Where the last block begins. */
  function last() {
    return begun + digits < LENGTH_AT ? 0 : BLOCK;
  }

  function next() {
    let at = begun + digits - 1;
    while (at >= begun && rest[at] === 0x39) {
      rest[at] = 0x30;
      at -= 1;
    }
    if (at < begun) longer();
    else rest[at] += 1;
  }

  return {
    tried: () => tried,
    /** Tries so many: the number as its digits, or null. */
    run(count) {
      for (let more = count; more > 0; more -= 1) {
        state.set(before);
        digest(state, rest, 0);
        if (last()) digest(state, rest, BLOCK);
        tried += 1;
        const zeros = state[0] ? Math.clz32(state[0]) : 32 + Math.clz32(state[1]);
        if (zeros >= bits) return String.fromCharCode(...rest.subarray(begun, begun + digits));
        next();
      }
      return null;
    },
  };
}
