// A sale that is there, corrected: what may not be changed any more is said at its field.

import { h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { t } from '../words.js';
import { form } from './form.js';

export default function edit({ signal, of: [id], go }) {
  const slot = h('div', {}, h('p', {}, t('wait.loading')));
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  let key = uuid();
  begin().catch((error) => { if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal')); });
  return h('div', { class: 'narrow wider' }, h('h1', {}, t('edit.title')), slot, wrong, h('p', {}, h('a', { href: `/desk/sales/${id}` }, t('edit.back'))));

  async function begin() {
    const sale = await persist(() => call('GET', `/v1/admin/sales/${id}`, { signal }), signal);
    slot.replaceChildren(form({ sale, words: ['edit.save', 'edit.save_free'], send: (changes) => send(sale, changes), signal }));
  }

  async function send({ version }, changes) {
    try {
      if (Object.keys(changes).length) await call('PATCH', `/v1/admin/sales/${id}`, { body: { version, ...changes }, key, signal });
      go(`/desk/sales/${id}`);
    } catch (error) {
      // What was refused was not done: what is sent next is another wish.
      if (!(error instanceof Problem && error.passes)) key = uuid();
      throw error;
    }
  }
}
