// A new item, and its sale with questions: a draft, until it is published.

import { h } from '../dom.js';
import { Problem, call, uuid } from '../api.js';
import { t } from '../words.js';
import { form } from './form.js';

export default function make({ signal, go }) {
  const keys = [uuid(), uuid()];
  let item = null;
  return h('div', { class: 'narrow wider' }, h('h1', {}, t('desk.new')), form({ words: ['new.make', 'new.make_free'], send, signal }));

  async function send({ title, description, ...terms }) {
    // What was written otherwise since is another item.
    if (item && (item.title !== title.trim() || item.description !== description.trim())) {
      item = null;
      keys[0] = uuid();
    }
    try {
      item ??= await call('POST', '/v1/admin/items', { body: { title, description }, key: keys[0], signal });
      const sale = await call('POST', '/v1/admin/sales', { body: { item_id: item.id, draft: true, ...terms }, key: keys[1], signal });
      go(`/desk/sales/${sale.id}`);
    } catch (error) {
      // What was refused was not made: what is sent next is another wish.
      if (!(error instanceof Problem && error.passes)) keys[item ? 1 : 0] = uuid();
      throw error;
    }
  }
}
