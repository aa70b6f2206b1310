// A question before what cannot be taken back: a modal dialog, or a layer over the page in a browser that has no dialogs.

import { field, h } from '../dom.js';
import { t } from '../words.js';

const isModal = () => typeof HTMLDialogElement === 'function' && 'showModal' in HTMLDialogElement.prototype;

/**
 * Whether the person says yes, once. `lines` are the figures to know before; what changes while the question stands is told with
 * the function that `watch` is given. With `again` = {label, text, wrong} only after typing that text, with {label, check} only
 * after typing one that `check` finds nothing wrong with. Escape, or leaving the page, is a no; the focus goes back to where it was.
 */
export function ask({ title, lines, yes, again, watch }, signal) {
  const before = document.activeElement;
  const modal = isModal();
  const typed = again && field(again.label, h('input', { type: 'text', inputmode: again.check ? 'text' : 'numeric', autocomplete: again.check ? 'one-time-code' : 'off' }));
  const no = h('button', { type: 'button', class: 'plain' }, t('ask.no'));
  const text = h('div', { id: 'ask-text' });
  const tell = (told) => text.replaceChildren(...told.map((line) => h('p', {}, line)));
  const form = h('form', { novalidate: true }, h('h2', { id: 'ask-title' }, title), text, typed?.node,
    h('div', { class: 'row' }, no, h('button', { type: 'submit' }, yes)));
  const box = h(modal ? 'dialog' : 'div', { class: 'dialog', role: 'alertdialog', 'aria-modal': 'true', 'aria-labelledby': 'ask-title', 'aria-describedby': 'ask-text' }, form);
  const layer = modal ? box : h('div', { class: 'cover' }, box);
  const behind = modal ? [] : [...document.body.children];
  tell(lines);
  watch?.(tell);

  const judged = (text) => (again.check ? again.check(text) : text !== again.text && again.wrong);

  return new Promise((resolve) => {
    const end = (answer) => {
      signal.removeEventListener('abort', leave);
      layer.remove();
      for (const one of behind) one.inert = false;
      if (!signal.aborted && before?.isConnected) before.focus();
      resolve(answer);
    };
    const leave = () => end(false);
    if (signal.aborted) return resolve(false);
    signal.addEventListener('abort', leave, { once: true });
    no.addEventListener('click', leave);
    let checks = false;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (checks) return undefined;
      checks = true;
      const wrong = typed && await judged(typed.control.value.trim());
      checks = false;
      if (!wrong) return end(true);
      typed.wrong(wrong);
      return typed.control.focus();
    });
    document.body.append(layer);
    if (modal) {
      box.addEventListener('cancel', (event) => { event.preventDefault(); leave(); });
      box.showModal();
    } else {
      for (const one of behind) one.inert = true;
      layer.addEventListener('keydown', (event) => keep(event, box, leave));
      // A click beside the buttons takes the focus nowhere.
      layer.addEventListener('mousedown', (event) => { if (!event.target.closest('button, input')) event.preventDefault(); });
    }
    (typed?.control ?? no).focus();
  });
}

/** Where the browser does not: Escape is a no, and the Tab key stays inside. */
function keep(event, box, leave) {
  if (event.key === 'Escape') return leave();
  if (event.key !== 'Tab') return undefined;
  const stops = [...box.querySelectorAll('button, input')];
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (document.activeElement !== from && stops.includes(document.activeElement)) return undefined;
  event.preventDefault();
  return to.focus();
}
