// QR codes as ISO/IEC 18004 has them: bytes, correction level M, the smallest version that fits.

import { svg } from './dom.js';

const CHECKS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21];

// -- the field of 256, in which the correction counts --

const [EXP, LOG] = [new Uint8Array(510), new Uint8Array(256)];
for (let power = 0, value = 1; power < 255; power += 1) {
  EXP[power] = EXP[power + 255] = value;
  LOG[value] = power;
  value = (value << 1) ^ (value & 128 ? 0x11d : 0);
}
const times = (a, b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

function checks(data, count) {
  let divisor = [1];
  for (let root = 0; root < count; root += 1) {
    const next = [...divisor, 0];
    divisor.forEach((factor, at) => { next[at + 1] ^= times(factor, EXP[root]); });
    divisor = next;
  }
  const rest = new Uint8Array(data.length + count);
  rest.set(data);
  for (let at = 0; at < data.length; at += 1) {
    const lead = rest[at];
    if (lead) divisor.forEach((factor, place) => { rest[at + place] ^= times(factor, lead); });
  }
  return rest.slice(data.length);
}

// -- what is written --

const places = (version) => (version === 1 ? 0 : Math.floor(version / 7) + 2);

/** Code words of a version, data and checks together. */
function room(version) {
  let modules = (16 * version + 128) * version + 64;
  const aligned = places(version);
  if (aligned) modules -= (25 * aligned - 10) * aligned - 55;
  if (version >= 7) modules -= 36;
  return modules >> 3;
}

function codewords(bytes) {
  let version = 1;
  const fits = () => room(version) - CHECKS[version - 1] * BLOCKS[version - 1];
  const head = () => (version < 10 ? 2 : 3);
  while (bytes.length + head() > fits()) {
    version += 1;
    if (version > CHECKS.length) throw new RangeError('too much for a QR code');
  }
  const bits = [];
  const push = (value, count) => { for (let bit = count - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1); };
  push(4, 4);
  push(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) push(byte, 8);
  push(0, Math.min(4, fits() * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  const data = new Uint8Array(fits());
  bits.forEach((bit, at) => { data[at >> 3] |= bit << (7 - (at & 7)); });
  for (let at = bits.length / 8, pad = 0xec; at < data.length; at += 1, pad ^= 0xfd) data[at] = pad;
  return { version, words: interleaved(version, data) };
}

/** The data in blocks, each with its checks, dealt out in turn. */
function interleaved(version, data) {
  const [count, check] = [BLOCKS[version - 1], CHECKS[version - 1]];
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks = [];
  for (let at = 0, block = 0; block < count; block += 1) {
    const part = data.slice(at, (at += short + (block >= count - longer ? 1 : 0)));
    blocks.push({ part, check: checks(part, check) });
  }
  const words = [];
  for (let at = 0; at <= short; at += 1) for (const { part } of blocks) if (at < part.length) words.push(part[at]);
  for (let at = 0; at < check; at += 1) for (const { check: part } of blocks) words.push(part[at]);
  return words;
}

// -- where it is drawn --

const MASKS = [
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** Rows of true for dark. */
export function modules(text) {
  const { version, words } = codewords(new TextEncoder().encode(text));
  const size = 17 + 4 * version;
  const grid = Array.from({ length: size }, () => new Array(size).fill(null));
  const set = (x, y, dark) => { if (x >= 0 && y >= 0 && x < size && y < size) grid[y][x] = dark; };
  for (let at = 0; at < size; at += 1) for (const [x, y] of [[at, 6], [6, at]]) set(x, y, at % 2 === 0);
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    around(4, (dx, dy, ring) => set(cx + dx, cy + dy, ring !== 2 && ring !== 4));
  }
  const centres = aligned(version, size);
  centres.forEach((cx, i) => centres.forEach((cy, j) => {
    const last = centres.length - 1;
    const corner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
    if (!corner) around(2, (dx, dy, ring) => set(cx + dx, cy + dy, ring !== 1));
  }));
  format(set, size, 0);
  if (version >= 7) stamp(set, size, version);
  const fixed = grid.map((row) => row.map((cell) => cell !== null));
  snake(grid, fixed, words);
  let best = null;
  MASKS.forEach((mask, number) => {
    const tried = grid.map((row, y) => row.map((cell, x) => (fixed[y][x] ? cell : cell !== mask(x, y))));
    format((x, y, dark) => { tried[y][x] = dark; }, size, number);
    const cost = ugliness(tried);
    if (!best || cost < best.cost) best = { cost, tried };
  });
  return best.tried;
}

function around(reach, draw) {
  for (let dy = -reach; dy <= reach; dy += 1) for (let dx = -reach; dx <= reach; dx += 1) draw(dx, dy, Math.max(Math.abs(dx), Math.abs(dy)));
}

function aligned(version, size) {
  const count = places(version);
  if (!count) return [];
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => size - 7 - at * step).reverse()];
}

/** A remainder of a division of polynomials over one bit. */
function remainder(value, divisor, bits) {
  let rest = value;
  for (let bit = 0; bit < bits; bit += 1) rest = (rest << 1) ^ ((rest >> (bits - 1)) * divisor);
  return rest;
}

/** Level M is 0. */
function format(set, size, mask) {
  const bits = ((mask << 10) | remainder(mask, 0x537, 10)) ^ 0x5412;
  const bit = (at) => ((bits >> at) & 1) === 1;
  for (let at = 0; at < 8; at += 1) {
    set(8, at < 6 ? at : at + 1, bit(at));
    set(size - 1 - at, 8, bit(at));
  }
  set(7, 8, bit(8));
  for (let at = 9; at < 15; at += 1) set(14 - at, 8, bit(at));
  for (let at = 8; at < 15; at += 1) set(8, size - 15 + at, bit(at));
  set(8, size - 8, true);
}

function stamp(set, size, version) {
  const bits = (version << 12) | remainder(version, 0x1f25, 12);
  for (let at = 0; at < 18; at += 1) {
    const [a, b] = [size - 11 + (at % 3), Math.floor(at / 3)];
    set(a, b, ((bits >> at) & 1) === 1);
    set(b, a, ((bits >> at) & 1) === 1);
  }
}

/** Up and down in pairs of columns, from the right; the upright timing column is left out. */
function snake(grid, fixed, words) {
  const size = grid.length;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (fixed[y][x]) continue;
        grid[y][x] = at < words.length * 8 && ((words[at >> 3] >> (7 - (at & 7))) & 1) === 1;
        at += 1;
      }
    }
  }
}

function ugliness(grid) {
  const size = grid.length;
  let cost = 0;
  let dark = 0;
  for (let a = 0; a < size; a += 1) {
    for (const line of [grid[a], grid.map((row) => row[a])]) {
      let run = 1;
      for (let b = 1; b <= size; b += 1) {
        if (b < size && line[b] === line[b - 1]) run += 1;
        else {
          if (run >= 5) cost += run - 2;
          run = 1;
        }
      }
      const text = line.map((cell) => (cell ? '1' : '0')).join('');
      for (const finder of ['10111010000', '00001011101']) cost += 40 * (text.split(finder).length - 1);
    }
    for (let b = 0; b < size; b += 1) {
      dark += grid[a][b] ? 1 : 0;
      const same = a && b && grid[a][b] === grid[a - 1][b] && grid[a][b] === grid[a][b - 1] && grid[a][b] === grid[a - 1][b - 1];
      if (same) cost += 3;
    }
  }
  return cost + 10 * Math.floor(Math.abs((dark / (size * size)) * 20 - 10));
}

const QUIET = 4;

export function qr(text, label) {
  const rows = modules(text);
  const size = rows.length + 2 * QUIET;
  let d = '';
  rows.forEach((row, y) => row.forEach((dark, x) => { if (dark) d += `M${x + QUIET} ${y + QUIET}h1v1h-1z`; }));
  return svg('svg', { viewBox: `0 0 ${size} ${size}`, class: 'qr', role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' },
    svg('rect', { width: size, height: size, fill: '#fff' }), svg('path', { d, fill: '#000' }));
}
