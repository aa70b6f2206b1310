// A new item, and its sale with questions.

import { field, h, put } from '../dom.js';
import { Problem, call, uuid } from '../api.js';
import { now } from '../clock.js';
import { t } from '../words.js';

const local = (at) => {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export default function make({ signal, go }) {
  const text = (key, more = {}) => field(t(`new.${key}`), h('input', { type: 'text', required: true, maxlength: 200, ...more }));
  const count = (key, value, more = {}) => field(t(`new.${key}`), h('input', { type: 'number', required: true, min: 0, step: 1, inputmode: 'numeric', value, ...more }));
  const time = (key, at) => field(t(`new.${key}`), h('input', { type: 'datetime-local', required: true, value: local(at) }));
  const fields = {
    title: text('title'),
    description: field(t('new.description'), h('textarea', { rows: 3, maxlength: 5000 })),
    price: text('price', { maxlength: 40, value: '100', inputmode: 'decimal', autocomplete: 'off', oninput: anew }),
    currency: text('currency', { maxlength: 3, value: 'TWD', class: 'code', oninput: anew }),
    capacity: count('capacity', 100, { min: 1 }),
    quantity_max: count('quantity_max', 2, { min: 1, max: 8 }),
    standby_max: count('standby_max', 200),
    standby_until: field(t('new.standby_until'), h('select', {}, ['closed', 'paid'].map((until) => h('option', { value: until }, t(`new.until_${until}`))))),
    hold: count('hold', 10, { min: 1, step: 'any' }),
    opens_at: time('opens_at', now()),
    closes_at: time('closes_at', now() + 86_400_000),
  };
  const questions = h('div', {});
  const asked = [];
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { class: 'big' }, t('new.make'));
  const keys = [uuid(), uuid()];
  let item = null;
  let currencies = null;
  /** Whether it was said that it costs nothing, and pressed again. */
  let free = false;
  const more = h('button', { type: 'button', class: 'plain', onclick: () => { ask(); asked.at(-1).prompt.control.focus(); } }, t('new.question_more'));
  const pair = (...names) => h('div', { class: 'row pair' }, names.map((name) => fields[name].node));
  const form = h('form', { novalidate: true, onsubmit: submit, class: 'paper' },
    fields.title.node, fields.description.node, pair('price', 'currency'), pair('capacity', 'quantity_max'), pair('standby_max', 'standby_until'), fields.hold.node, pair('opens_at', 'closes_at'),
    h('h2', {}, t('new.questions')), h('p', { class: 'hint' }, t('new.questions_hint')), questions, h('p', {}, more), wrong, button);
  return h('div', { class: 'narrow wider' }, h('h1', {}, t('desk.new')), form);

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
    put(button, t('new.make'));
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
    put(button, t('new.make_free'));
    throw wrongly('price.minor', 'new.free_sure');
  }

  function offer() {
    const value = (name) => fields[name].control.value;
    const moment = (name) => new Date(value(name)).getTime();
    return {
      capacity: Number(value('capacity')), quantity_max: Number(value('quantity_max')), standby_max: Number(value('standby_max')), standby_until: value('standby_until'),
      hold_ms: Math.round(Number(value('hold')) * 60_000), opens_at: moment('opens_at'), closes_at: moment('closes_at'),
      questions: asked.map(({ prompt, answer }) => ({ prompt: prompt.control.value, answer: answer.control.value })),
    };
  }

  async function submit(event) {
    event.preventDefault();
    put(wrong, '');
    for (const one of [...Object.values(fields), ...asked.flatMap(Object.values)]) one.wrong('');
    button.disabled = true;
    try {
      currencies ??= await call('GET', '/v1/currencies', { signal });
      const cost = price();
      item ??= await call('POST', '/v1/admin/items', { body: { title: fields.title.control.value, description: fields.description.control.value }, key: keys[0], signal });
      const sale = await call('POST', '/v1/admin/sales', { body: { item_id: item.id, price: cost, ...offer() }, key: keys[1], signal });
      go(`/desk/sales/${sale.id}`);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      blame(problem);
      // What was refused was not made: what is sent next is another wish.
      if (!problem.passes && problem.kind !== 'typed') keys[item ? 1 : 0] = uuid();
      button.disabled = false;
    }
  }

  function blame(problem) {
    const [, at, part] = /^questions\[(\d+)\]\.(\w+)$/.exec(problem.field ?? '') ?? [];
    const name = { 'price.minor': 'price', 'price.currency': 'currency', hold_ms: 'hold' }[problem.field] ?? problem.field;
    const blamed = part ? asked[at][part] : fields[name];
    if (!blamed) return put(wrong, problem.words);
    blamed.wrong(problem.words);
    return blamed.control.focus();
  }
}
