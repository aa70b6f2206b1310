// The form of a sale: what it is, what it costs, when it is sold, and what is asked. Of a sale that is there it tells what was changed.

import { field, h, put } from '../dom.js';
import { Problem, call } from '../api.js';
import { now } from '../clock.js';
import { t } from '../words.js';

const local = (at) => {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

/** As a person types it. */
const typedPrice = ({ minor, decimals }) => {
  const digits = String(minor).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return digits.slice(0, point) + (decimals ? `.${digits.slice(point)}` : '');
};

/** What the fields show of the sale; of a new one, what is usual. */
function values(sale) {
  if (!sale) return { title: '', description: '', price: '100', currency: 'TWD', capacity: 100, quantity_max: 2, standby_max: 200, standby_until: 'closed', hold: 10, opens_at: local(now()), closes_at: local(now() + 86_400_000) };
  const { price, hold_ms, opens_at, closes_at } = sale;
  return { ...sale, price: typedPrice(price), currency: price.currency, hold: hold_ms / 60_000, opens_at: local(opens_at), closes_at: local(closes_at) };
}

/**
 * The form. `words` are the keys of its button, and of its button when everything is for free; `send` gets the fields, of a sale
 * that is there those that were changed alone.
 */
export function form({ sale, words: [press, pressFree], send, signal }) {
  const is = values(sale);
  const text = (key, more = {}) => field(t(`new.${key}`), h('input', { type: 'text', required: true, maxlength: 200, ...more }));
  const count = (key, more = {}) => field(t(`new.${key}`), h('input', { type: 'number', required: true, min: 0, step: 1, inputmode: 'numeric', value: is[key], ...more }));
  const time = (key) => field(t(`new.${key}`), h('input', { type: 'datetime-local', required: true, value: is[key] }));
  const fields = {
    title: text('title', { value: is.title }),
    description: field(t('new.description'), h('textarea', { rows: 3, maxlength: 5000, value: is.description ?? '' })),
    price: text('price', { maxlength: 40, value: is.price, inputmode: 'decimal', autocomplete: 'off', oninput: anew }),
    currency: text('currency', { maxlength: 3, value: is.currency, class: 'code', oninput: anew }),
    capacity: count('capacity', { min: 1 }),
    quantity_max: count('quantity_max', { min: 1, max: 8 }),
    standby_max: count('standby_max'),
    standby_until: field(t('new.standby_until'), h('select', {}, ['closed', 'paid'].map((until) => h('option', { value: until, selected: until === is.standby_until }, t(`new.until_${until}`))))),
    hold: count('hold', { min: 1, step: 'any' }),
    opens_at: time('opens_at'),
    closes_at: time('closes_at'),
  };
  const before = Object.fromEntries(Object.entries(fields).map(([name, { control }]) => [name, control.value]));
  const questions = h('div', {});
  const asked = [];
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { class: 'big' }, t(press));
  let currencies = null;
  /** Whether it was said that it costs nothing, and pressed again. */
  let free = false;
  /** Whether the questions are written anew: their answers are shown to nobody, so that they stay as a whole or go as a whole. */
  let asks = !sale;
  const more = h('button', { type: 'button', class: 'plain', onclick: () => { ask(); asked.at(-1).prompt.control.focus(); } }, t('new.question_more'));
  const pair = (...names) => h('div', { class: 'row pair' }, names.map((name) => fields[name].node));
  const slot = h('div', {});
  slot.append(...(asks ? writing() : kept()));
  return h('form', { novalidate: true, onsubmit: submit, class: 'paper' },
    fields.title.node, fields.description.node, pair('price', 'currency'), pair('capacity', 'quantity_max'), pair('standby_max', 'standby_until'), fields.hold.node, pair('opens_at', 'closes_at'),
    h('h2', {}, t('new.questions')), slot, wrong, button);

  function writing() {
    return [h('p', { class: 'hint' }, t('new.questions_hint')), questions, h('p', {}, more)];
  }

  function kept() {
    const others = h('button', { type: 'button', class: 'plain', onclick: () => { asks = true; slot.replaceChildren(...writing()); more.focus(); } }, t('edit.questions_anew'));
    return [h('p', { class: 'hint' }, t('edit.questions_kept')), h('ul', {}, sale.prompts.map((prompt) => h('li', {}, prompt))), h('p', {}, others)];
  }

  function ask() {
    const prompt = text('prompt');
    const answer = text('answer');
    const node = h('div', { class: 'row pair' }, prompt.node, answer.node,
      h('button', { type: 'button', class: 'plain', onclick: () => { asked.splice(asked.indexOf(one), 1); node.remove(); more.focus(); } }, t('new.question_less')));
    const one = { prompt, answer };
    asked.push(one);
    questions.append(node);
  }

  function anew() {
    free = false;
    put(button, t(press));
  }

  /** What is typed, to the last digit: nothing is rounded, and nothing stands for nothing. Throws what is wrong with it. */
  function price() {
    const typed = (name) => fields[name].control.value.normalize('NFKC').trim();
    const wrongly = (field, key, values) => new Problem('typed', { status: 400, field, detail: t(key, values) });
    const code = typed('currency').toUpperCase();
    const known = currencies.find(({ currency }) => currency === code);
    if (!known) throw wrongly('price.currency', 'new.currency_unknown', { currency: code });
    const { currency, decimals } = known;
    const [, whole, fraction = ''] = /^([0-9]+)(?:\.([0-9]+))?$/.exec(typed('price')) ?? [];
    if (whole === undefined) throw wrongly('price.minor', 'new.price_unreadable');
    if (fraction.length > decimals) throw wrongly('price.minor', decimals ? 'new.price_digits' : 'new.price_whole', { currency, decimals });
    const minor = Number(whole + fraction.padEnd(decimals, '0'));
    if (minor > 0 || free) return { minor, currency };
    free = true;
    put(button, t(pressFree));
    throw wrongly('price.minor', 'new.free_sure');
  }

  /** What is wished for; a field that shows what it showed at first says nothing of a sale that is there. */
  function wish() {
    const value = (name) => fields[name].control.value;
    const moment = (name) => new Date(value(name)).getTime();
    const isTold = (...names) => !sale || names.some((name) => value(name) !== before[name]);
    const told = {};
    for (const name of ['title', 'description', 'standby_until']) if (isTold(name)) told[name] = value(name);
    for (const name of ['capacity', 'quantity_max', 'standby_max']) if (isTold(name)) told[name] = Number(value(name));
    for (const name of ['opens_at', 'closes_at']) if (isTold(name)) told[name] = moment(name);
    if (isTold('hold')) told.hold_ms = Math.round(Number(value('hold')) * 60_000);
    if (isTold('price', 'currency')) told.price = price();
    if (asks) told.questions = asked.map(({ prompt, answer }) => ({ prompt: prompt.control.value, answer: answer.control.value }));
    return told;
  }

  async function submit(event) {
    event.preventDefault();
    put(wrong, '');
    for (const one of [...Object.values(fields), ...asked.flatMap(Object.values)]) one.wrong('');
    button.disabled = true;
    try {
      currencies ??= await call('GET', '/v1/currencies', { signal });
      await send(wish());
    } catch (error) {
      if (signal.aborted) return;
      blame(error instanceof Problem ? error : new Problem('internal'));
      button.disabled = false;
    }
  }

  function blame(problem) {
    const [, at, part] = /^questions\[(\d+)\]\.(\w+)$/.exec(problem.field ?? '') ?? [];
    const name = { 'price.minor': 'price', 'price.currency': 'currency', hold_ms: 'hold' }[problem.field] ?? problem.field;
    const blamed = part ? asked[at]?.[part] : fields[name];
    if (!blamed) return put(wrong, problem.words);
    blamed.wrong(problem.words);
    return blamed.control.focus();
  }
}
