// Who did what: entries newest first, sought by who, what, whereto and when, and taken home as a file.

import { field, h, keep, put } from '../dom.js';
import { Problem, call } from '../api.js';
import { more, page } from '../more.js';
import { t, when } from '../words.js';

const PATH = '/v1/admin/journal';
const WORDS = ['actor', 'action', 'subject'];
const DAYS = ['from', 'to'];
const HEADS = ['number', 'at', 'actor', 'action', 'subject', 'change', 'network'];

export default function journal({ signal }) {
  const list = h('div', {}, h('p', {}, t('wait.loading')));
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const rest = more(add, signal);
  const type = { actor: 'text', action: 'text', subject: 'text', from: 'date', to: 'date' };
  const fields = Object.fromEntries([...WORDS, ...DAYS].map((name) => [name, field(t(`journal.${name}`),
    h('input', { type: type[name], autocomplete: 'off', maxlength: type[name] === 'text' && 64 }), WORDS.includes(name) && t(`journal.${name}_hint`))]));
  const form = h('form', { novalidate: true, onsubmit: (event) => { event.preventDefault(); load().catch(failed); } },
    Object.values(fields).map(({ node }) => node),
    h('div', { class: 'row' }, h('button', {}, t('journal.seek')), h('button', { type: 'button', class: 'plain', onclick: () => download().catch(failed) }, t('journal.take'))));
  let body = h('tbody', {});
  load().catch(failed);
  return h('div', {}, h('h1', {}, t('desk.journal')), h('p', { class: 'lead' }, t('journal.lead')), h('section', { class: 'paper' }, form), wrong, list, rest.node);

  /** What is asked for; a day begins and ends where the operator is. */
  function asked(path) {
    const query = new URLSearchParams();
    for (const name of WORDS) if (fields[name].control.value.trim()) query.set(name, fields[name].control.value.trim());
    for (const name of DAYS) {
      const day = fields[name].control.value;
      if (!day) continue;
      const begins = new Date(`${day}T00:00`);
      if (name === 'to') begins.setDate(begins.getDate() + 1);
      query.set(name, String(begins.getTime()));
    }
    const text = query.toString();
    return text ? `${path}?${text}` : path;
  }

  async function load() {
    put(wrong, '');
    for (const each of Object.values(fields)) each.wrong('');
    body = h('tbody', {});
    const { count, next } = await add(asked(PATH));
    rest.leadsTo(next);
    const heads = HEADS.map((name) => h('th', { scope: 'col', class: name === 'number' && 'n' }, t(`journal.${name}`)));
    list.replaceChildren(count
      ? h('div', { class: 'paper wide', tabindex: 0, role: 'region', 'aria-label': t('desk.journal') }, h('table', {}, h('thead', {}, h('tr', {}, heads)), body))
      : h('p', {}, t('journal.none')));
  }

  async function add(path) {
    const { items, next } = await page(path, signal);
    const rows = items.map(row);
    body.append(...rows);
    return { count: rows.length, next, first: rows[0] };
  }

  async function download() {
    put(wrong, '');
    keep(await call('GET', asked(`${PATH}.csv`), { signal, as: 'blob' }), 'journal.csv');
  }

  function failed(error) {
    if (signal.aborted) return;
    if (error instanceof Problem && fields[error.field]) fields[error.field].wrong(error.words);
    else put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
  }
}

function row({ number, at, actor, role, action, subject, before, after, network }) {
  const who = actor === 'shell' ? t('journal.shell') : `${actor} (${role})`;
  const change = [before, after].filter(Boolean).join(' → ');
  return h('tr', {}, h('td', { class: 'n' }, String(number)), h('td', {}, when(at)), h('td', {}, who),
    [action, subject, change, network].map((text) => h('td', { class: 'code' }, text)));
}
