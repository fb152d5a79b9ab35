import { MAX_PROMPT_BYTES } from '@bullpen/contracts';

/** From here on the size is shown. */
const NEARLY_FULL = 0.9;
/** The most that one UTF-16 unit takes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3;
const KIB = 1024;
const encoder = new TextEncoder();

/** `119.4 of 128 KiB` when little room is left, else null: short prompts are not measured. */
export function describeSize(text: string): string | null {
  if (text.length * MAX_BYTES_PER_UNIT < MAX_PROMPT_BYTES * NEARLY_FULL) return null;
  const bytes = encoder.encode(text).length;
  if (bytes < MAX_PROMPT_BYTES * NEARLY_FULL) return null;
  // Upwards: what is too large never reads as if it fitted.
  return `${(Math.ceil((bytes / KIB) * 10) / 10).toFixed(1)} of ${MAX_PROMPT_BYTES / KIB} KiB`;
}

/** Why it cannot be sent and what to do; null when it can. The platform asks the same. */
export function promptProblem(text: string): string | null {
  if (text.trim() === '') return 'Say what is to be done.';
  if (text.length * MAX_BYTES_PER_UNIT <= MAX_PROMPT_BYTES || encoder.encode(text).length <= MAX_PROMPT_BYTES) return null;
  return `This is too long: ${describeSize(text)}. Put the rest into a file of the repository.`;
}
