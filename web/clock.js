// The shop's time. Countdowns follow the server's clock, whatever this machine's says.

let offset = null;
let doubt = Infinity;

/** `server` is the time the answer carried; it was written between the question and the answer. */
export function measured(server, asked, answered) {
  const wide = answered - asked;
  // A quick answer is a good witness; a slow one only replaces what has grown old.
  if (wide <= doubt * 1.5 || offset === null) {
    offset = server - (asked + wide / 2);
    doubt = Math.max(wide, 1);
  } else {
    doubt *= 1.2;
  }
}

// Counted by the monotonic clock, which cannot be set.
const zero = Date.now() - performance.now();
export const mine = () => zero + performance.now();
export const now = () => mine() + (offset ?? 0);

/** `mm:ss`, `h:mm:ss`, or days in front. */
export function left(until) {
  const seconds = Math.max(0, Math.ceil((until - now()) / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h >= 48) return `${Math.floor(h / 24)} d ${two(h % 24)}:${two(m)}:${two(s)}`;
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}
