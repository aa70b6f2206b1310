// The door of one sale: a ticket's code, typed, scanned by hand, or seen by the camera where the browser reads codes.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { may } from '../session.js';
import { t, when } from '../words.js';
import { holders } from './holders.js';
import { letIns } from './let-ins.js';

const LOOK_MS = 250;
/** Characters of a code, with gaps and what other keyboards make of it. */
const CODE_MAX = 250;
const KEY = 'miaosha.door';

export default function checkIn({ signal }) {
  const input = h('input', { type: 'text', class: 'code', autocomplete: 'off', spellcheck: 'false', maxlength: CODE_MAX, required: true });
  const code = field(t('check.code'), input);
  const result = h('div', { class: 'result', role: 'status', 'aria-live': 'assertive' });
  const video = h('video', { class: 'camera', muted: true, playsinline: true, hidden: true });
  const canScan = 'BarcodeDetector' in globalThis && navigator.mediaDevices;
  const camera = h('button', { type: 'button', class: 'plain', 'aria-pressed': 'false', onclick: () => (looking ? stop() : scan()) }, t('check.camera'));
  const form = h('form', { class: 'paper', novalidate: true, onsubmit: submit }, code.node, h('button', { class: 'big' }, t('check.check')));
  const lets = may('check_in');
  let looking = null;
  let last = '';
  let door = remembered();
  signal.addEventListener('abort', stop);
  const place = h('div', {});
  const lastIns = letIns(tell, out, signal);
  const byName = holders({ door: () => door, told: (admission, isIn) => (isIn ? lastIns.add(admission) : out(admission)), tell, signal });
  const byCode = h('div', { hidden: !lets }, form, canScan ? camera : h('p', { class: 'hint' }, t('check.no_camera')), video);
  const work = h('div', {}, byCode, result, lastIns.node, byName.node);
  if (door) stand(door);
  else choose();
  return h('div', { class: 'narrow' }, h('h1', {}, t('check.title')), place, work);

  /** At this sale's door, until another one is chosen or the tab is closed. */
  function stand(sale) {
    door = { id: sale.id, title: sale.title };
    try {
      sessionStorage.setItem(KEY, JSON.stringify(door));
    } catch {
      // Then it is asked for again after a reload.
    }
    work.hidden = false;
    place.replaceChildren(h('div', { class: 'paper door' }, h('p', { class: 'soft' }, t('check.door')), h('h2', {}, door.title), h('p', { class: 'soft' }, `#${door.id}`),
      h('button', { type: 'button', class: 'plain', onclick: choose }, t('check.other_sale'))));
    if (lets) input.focus();
  }

  async function choose() {
    stop();
    last = '';
    lastIns.clear();
    byName.clear();
    work.hidden = true;
    result.className = 'result';
    put(result, '');
    const list = h('ul', { class: 'choices' });
    const wrong = h('p', { class: 'wrong', role: 'alert' });
    const by = field(t('check.number'), h('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off', maxlength: 20 }));
    const other = h('form', { class: 'paper', novalidate: true, onsubmit: named }, by.node, h('button', { class: 'plain' }, t('check.choose')));
    place.replaceChildren(h('h2', {}, t('check.which')), list, other, wrong);
    try {
      const sales = await persist(() => call('GET', '/v1/sales', { signal }), signal);
      list.replaceChildren(...sales.map((sale) => h('li', {}, h('button', { type: 'button', class: 'plain', onclick: () => stand(sale) }, sale.title), h('span', { class: 'soft' }, ` #${sale.id} · ${when(sale.opens_at)}`))));
    } catch (error) {
      if (!signal.aborted) put(wrong, error instanceof Problem ? error.words : t('problem.internal'));
    }

    async function named(event) {
      event.preventDefault();
      by.wrong('');
      const number = by.control.value.trim();
      try {
        if (!/^\d+$/.test(number)) throw new Problem('not_found', { status: 404 });
        stand(await persist(() => call('GET', `/v1/sales/${number}`, { signal }), signal));
      } catch (error) {
        if (!signal.aborted) by.wrong(error.status === 404 ? t('sale.missing') : error.words ?? t('problem.internal'));
      }
    }
  }

  /** The camera stops: a ticket that is still before it is not let in again at once. */
  function out(admission) {
    stop();
    last = '';
    lastIns.drop(admission);
    byName.again();
    if (lets) input.focus();
  }

  function submit(event) {
    event.preventDefault();
    const token = input.value.trim();
    if (token) check(token);
    input.value = '';
    input.focus();
  }

  async function check(token) {
    result.className = 'result';
    put(result, t('account.working'));
    const key = uuid();
    const at = door;
    try {
      const admitted = await persist(() => call('POST', '/v1/check-ins', { body: { sale_id: at.id, token }, key, signal }), signal);
      tell('in', 'check.in', t('check.unit', { sale: at.title, unit: String(admitted.unit) }));
      lastIns.add(admitted);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      const word = { already_admitted: 'check.again', elsewhere: 'check.elsewhere', revoked: 'check.back' }[problem.kind] ?? (problem.status === 400 || problem.status === 404 ? 'check.wrong' : 'check.unknown');
      tell('out', word, more(problem));
    }
  }

  function more({ kind, facts, words }) {
    if (kind === 'elsewhere') return t('check.elsewhere_text', { sale: facts.sale_title ?? `#${facts.sale_id}`, unit: String(facts.unit) });
    if (kind !== 'already_admitted') return words;
    const first = t(facts.gate ? 'check.first_at' : 'check.first', { when: when(facts.admitted_at), gate: facts.gate });
    return facts.revoked ? `${first} ${t('check.back_since')}` : first;
  }

  function tell(kind, word, more) {
    result.className = `result ${kind}`;
    result.replaceChildren(h('strong', { class: 'verdict' }, t(word)), h('p', {}, more));
  }

  async function scan() {
    let detector;
    try {
      detector = new BarcodeDetector({ formats: ['qr_code'] });
      looking = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    } catch {
      return put(result, t('check.denied'));
    }
    video.srcObject = looking;
    video.hidden = false;
    put(camera, t('check.stop'));
    camera.setAttribute('aria-pressed', 'true');
    await video.play();
    while (looking) {
      const [seen] = await detector.detect(video).catch(() => []);
      // A ticket that is held up for a while is one ticket.
      if (seen && seen.rawValue !== last) {
        last = seen.rawValue;
        await check(last);
      }
      await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
    }
    return undefined;
  }

  function stop() {
    for (const track of looking?.getTracks() ?? []) track.stop();
    looking = null;
    video.hidden = true;
    put(camera, t('check.camera'));
    camera.setAttribute('aria-pressed', 'false');
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}
