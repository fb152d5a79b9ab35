import { MAX_PROMPT_BYTES } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

/** @throws Rejection `prompt.empty`, `prompt.too-large` */
export function checkPrompt(text: string): void {
  if (text.trim() === '') throw new Rejection('prompt.empty', 'The prompt is empty. Say what is to be done.');
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= MAX_PROMPT_BYTES) return;
  throw new Rejection('prompt.too-large', `The prompt has ${bytes} bytes; at most ${MAX_PROMPT_BYTES} are allowed. Put the rest into a file.`, {
    bytes,
    limit: MAX_PROMPT_BYTES,
  });
}
