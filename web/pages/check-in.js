// The door: a ticket's code, typed, scanned by hand, or seen by the camera where the browser reads codes.

import { field, h, put } from '../dom.js';
import { Problem, call, persist, uuid } from '../api.js';
import { t, when } from '../words.js';

const LOOK_MS = 250;

export default function checkIn({ signal }) {
  const input = h('input', { type: 'text', class: 'code', autocomplete: 'off', spellcheck: 'false', maxlength: 200, required: true });
  const code = field(t('check.code'), input);
  const result = h('div', { class: 'result', role: 'status', 'aria-live': 'assertive' });
  const video = h('video', { class: 'camera', muted: true, playsinline: true, hidden: true });
  const canScan = 'BarcodeDetector' in globalThis && navigator.mediaDevices;
  const camera = h('button', { type: 'button', class: 'plain', 'aria-pressed': 'false', onclick: () => (looking ? stop() : scan()) }, t('check.camera'));
  const form = h('form', { class: 'paper', novalidate: true, onsubmit: submit }, code.node, h('button', { class: 'big' }, t('check.check')));
  let looking = null;
  let last = '';
  signal.addEventListener('abort', stop);
  return h('div', { class: 'narrow' }, h('h1', {}, t('check.title')), form, canScan ? camera : h('p', { class: 'hint' }, t('check.no_camera')), video, result);

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
    try {
      const admitted = await persist(() => call('POST', '/v1/check-ins', { body: { token }, key, signal }), signal);
      tell('in', 'check.in', t('check.unit', { sale: String(admitted.sale_id), unit: String(admitted.unit) }));
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem('internal');
      const word = { already_admitted: 'check.again', revoked: 'check.back' }[problem.kind] ?? (problem.status === 400 || problem.status === 404 ? 'check.wrong' : 'check.unknown');
      const at = problem.facts?.admitted_at;
      tell('out', word, at ? t('check.first', { when: when(at) }) : problem.detail);
    }
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
