// What is said, in the person's language. Chosen by them, or else by what their browser asks for.

const KEY = 'miaosha.language';
export const LANGUAGES = { en: 'English', 'zh-TW': '繁體中文' };
const sources = { en: () => import('./words/en.js'), 'zh-TW': () => import('./words/zh-TW.js') };

let words = {};
let plural;
export let language = 'en';

function preferred() {
  const chosen = localStorage.getItem(KEY);
  if (chosen in LANGUAGES) return chosen;
  for (const wish of navigator.languages ?? []) {
    if (/^zh/i.test(wish)) return 'zh-TW';
    if (/^en/i.test(wish)) return 'en';
  }
  return 'en';
}

export async function speak(choice) {
  if (choice) localStorage.setItem(KEY, choice);
  language = choice ?? preferred();
  words = (await sources[language]()).default;
  plural = new Intl.PluralRules(language);
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

export const number = (value) => new Intl.NumberFormat(language).format(value);

/** As mails and receipts write it. The shop says how many decimals there are: a browser's own table is another one. */
export function money({ minor, currency, decimals }) {
  const digits = String(minor).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const whole = digits.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${currency} ${whole}${decimals ? `.${digits.slice(point)}` : ''}`;
}

export const when = (at) =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
