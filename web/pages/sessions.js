// Where the account is logged in; each of them can be ended.

import { h, put } from '../dom.js';
import { Problem, call } from '../api.js';
import { t, when } from '../words.js';

export function sessions({ signal }) {
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const list = h('ul', {}, h('li', {}, t('wait.loading')));
  load();
  return h('section', { class: 'paper sessions' }, h('h2', {}, t('sessions.title')), wrong, list);

  async function load() {
    try {
      const found = await call('GET', '/v1/sessions', { signal });
      list.replaceChildren(...found.map(row));
    } catch (error) {
      failed(error);
    }
  }

  function row(session) {
    const name = session.agent || t('sessions.unknown');
    const end = !session.current && h('button', { type: 'button', class: 'plain', 'aria-label': `${t('sessions.end')}: ${name}, ${when(session.begun_at)}`, onclick: () => ended(session, end) }, t('sessions.end'));
    return h('li', {}, h('p', {}, name, session.current && h('strong', {}, ` · ${t('sessions.current')}`)),
      h('p', { class: 'hint' }, t('sessions.since', { at: when(session.begun_at), network: session.network })), end);
  }

  async function ended({ session_id }, button) {
    put(wrong, '');
    button.disabled = true;
    try {
      await call('DELETE', `/v1/sessions/${session_id}`, { signal });
    } catch (error) {
      // Ended elsewhere meanwhile: that is what was wanted.
      if (error.kind !== 'not_found') failed(error);
    }
    await load();
  }

  function failed(error) {
    if (signal.aborted) return;
    put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
  }
}
