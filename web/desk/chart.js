// A line over time, drawn anew as figures come.

import { h, put, svg } from '../dom.js';

const POINTS_MAX = 120;
const [WIDE, HIGH] = [240, 80];

/** `show(value)` adds a point; `words` says the value. */
export function chart(name, words) {
  const points = [];
  const value = h('strong', {}, '–');
  const [line, area] = [svg('path', {}), svg('path', { class: 'area' })];
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: 'none', role: 'img' },
    svg('line', { x1: 0, x2: WIDE, y1: HIGH - 1, y2: HIGH - 1 }), area, line);
  return {
    node: h('figure', {}, h('figcaption', {}, h('span', {}, name), value), picture),
    show(point) {
      points.push(point ?? points.at(-1) ?? 0);
      if (points.length > POINTS_MAX) points.shift();
      put(value, point === undefined || point === null ? '–' : words(point));
      const top = Math.max(1, ...points) * 1.1;
      const place = (at, y) => `${(WIDE * (at + POINTS_MAX - points.length) / (POINTS_MAX - 1)).toFixed(1)} ${(HIGH - 1 - (HIGH - 4) * y / top).toFixed(1)}`;
      const path = points.map((y, at) => `${at ? 'L' : 'M'}${place(at, y)}`).join(' ');
      line.setAttribute('d', path);
      area.setAttribute('d', `${path} L${WIDE} ${HIGH - 1} L${place(0, 0)} Z`);
      picture.setAttribute('aria-label', `${name}: ${value.textContent}`);
    },
  };
}
