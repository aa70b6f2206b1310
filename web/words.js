// What is said, in the person's language. Chosen by them, or else by what their browser asks for.

import { read, write } from './storage.js';

const KEY = 'miaosha.language';
export const LANGUAGES = { en: 'English', 'zh-TW': '繁體中文' };
const sources = { en: () => import('./words/en.js'), 'zh-TW': () => import('./words/zh-TW.js') };

/** What this browser's `Intl` lacks is said plainly. */
function able(well, plainly) {
  try {
    return well();
  } catch {
    return plainly();
  }
}

let words = {};
let plural;
export let language = 'en';

function preferred() {
  const chosen = read(KEY);
  if (Object.keys(LANGUAGES).includes(chosen)) return chosen;
  for (const wish of navigator.languages ?? []) {
    if (/^zh/i.test(wish)) return 'zh-TW';
    if (/^en/i.test(wish)) return 'en';
  }
  return 'en';
}

export async function speak(choice) {
  const wanted = choice ?? preferred();
  words = (await sources[wanted]()).default;
  language = wanted;
  if (choice) write(KEY, choice);
  plural = able(() => new Intl.PluralRules(language), () => ({ select: (n) => (language === 'en' && n === 1 ? 'one' : 'other') }));
  document.documentElement.lang = language;
}

/** The words under the key; with a number `n` those for so many. Nothing when there are none. */
export function t(key, values) {
  const text = values?.n !== undefined && words[`${key}.${plural.select(values.n)}`] || words[key];
  return text?.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values?.[name];
    return typeof value === 'number' ? number(value) : String(value ?? '');
  });
}

export const number = (value) => able(() => new Intl.NumberFormat(language).format(value), () => String(value));

/** As mails and receipts write it. The shop says how many decimals there are: a browser's own table is another one. */
export function money({ minor, currency, decimals }) {
  const digits = String(minor).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const whole = digits.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${currency} ${whole}${decimals ? `.${digits.slice(point)}` : ''}`;
}

export const when = (at) => able(
  () => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at)),
  () => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace('T', ' '),
);

/** The time of day alone. */
export const hour = (at) => able(
  () => new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(at)),
  () => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(11, 16),
);
