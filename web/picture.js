// A picture for what has none: a small landscape that follows from the sale's number, always the same one.

import { svg } from './dom.js';

/** Numbers from 0 to 1 that follow from the seed. */
function chance(seed) {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

const SKIES = [
  ['#f7d9b8', '#e58a5b', '#b3321f', '#5a2a3c', '#2b1f33'],
  ['#dfe9e3', '#8fb6a4', '#4c8273', '#2a5550', '#173536'],
  ['#f2e4c9', '#d8b26a', '#a9763b', '#6c4a2b', '#38281e'],
  ['#d8e3f0', '#92aecb', '#56779f', '#344f77', '#1c2d4b'],
  ['#f3d7d7', '#d68d94', '#a04d62', '#63304a', '#331d33'],
  ['#e7e2f0', '#ae9fc9', '#75649d', '#483f70', '#272446'],
];

function ridge(next, base, swing) {
  const points = [];
  for (let x = -20; x <= 420; x += 44) points.push([x, base - swing * (0.15 + next())]);
  let path = `M-20 320 L${points[0][0]} ${points[0][1].toFixed(1)}`;
  for (let place = 1; place < points.length; place += 1) {
    const [[x0, y0], [x1, y1]] = [points[place - 1], points[place]];
    const middle = (x0 + x1) / 2;
    path += ` C${middle} ${y0.toFixed(1)} ${middle} ${y1.toFixed(1)} ${x1} ${y1.toFixed(1)}`;
  }
  return `${path} L420 320 Z`;
}

export function picture(id, label) {
  const next = chance(Number(id) + 41);
  const colours = SKIES[Math.floor(next() * SKIES.length)];
  const [sunX, sunY, sunR] = [70 + next() * 260, 70 + next() * 70, 30 + next() * 26];
  const parts = [svg('rect', { width: 400, height: 300, fill: colours[0] })];
  parts.push(svg('circle', { cx: sunX, cy: sunY, r: sunR * 1.5, fill: colours[1], opacity: 0.28 }));
  parts.push(svg('circle', { cx: sunX, cy: sunY, r: sunR, fill: colours[0] === '#f7d9b8' ? '#b3321f' : '#fff6e3' }));
  const bands = 3 + Math.floor(next() * 2);
  for (let band = 0; band < bands; band += 1) {
    const depth = (band + 1) / bands;
    const tone = colours[1 + Math.min(3, Math.floor(depth * 3.4))];
    parts.push(svg('path', { d: ridge(next, 170 + 118 * depth, 96 - 46 * depth), fill: tone, opacity: 0.94 }));
  }
  // A few birds, or none.
  for (let bird = Math.floor(next() * 4); bird > 0; bird -= 1) {
    const [x, y, wing] = [40 + next() * 320, 40 + next() * 70, 4 + next() * 5];
    const d = `M${x - wing} ${y} q${wing / 2} ${-wing / 1.6} ${wing} 0 q${wing / 2} ${-wing / 1.6} ${wing} 0`;
    parts.push(svg('path', { d, fill: 'none', stroke: colours[4], 'stroke-width': 1.4, 'stroke-linecap': 'round' }));
  }
  const said = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' };
  return svg('svg', { viewBox: '0 0 400 300', class: 'picture', preserveAspectRatio: 'xMidYMid slice', ...said }, parts);
}
