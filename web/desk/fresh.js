// What takes a second factor that was shown lately: asked for when the shop says so, and what was wanted is done after it.

import { Problem, call } from '../api.js';
import { renew } from '../session.js';
import { t } from '../words.js';
import { ask } from './ask.js';

/** Does the work; where the shop wants to see the second factor first, asks for a code and does it once more. */
export async function fresh(work, signal) {
  try {
    return await work();
  } catch (error) {
    if (error.kind !== 'second_factor_needed' || !await isShown(signal)) throw error;
    return work();
  }
}

/** Whether a code was typed that is right. */
function isShown(signal) {
  const check = async (code) => {
    try {
      renew(await call('POST', '/v1/me/second-factor/codes', { body: { code }, signal }));
      return '';
    } catch (error) {
      return error instanceof Problem ? error.words : t('problem.internal');
    }
  };
  return ask({ title: t('factor.again'), lines: [t('factor.again_text')], yes: t('factor.show'), again: { label: t('factor.code'), check } }, signal);
}
