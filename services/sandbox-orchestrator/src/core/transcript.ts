import type { KnownSessionEvent, SessionEvent } from '@bullpen/contracts';
import { isKnownEvent } from '@bullpen/contracts';

/**
 * The conversation so far as markdown, for an agent whose own memory is gone. The newest parts are kept when it does not fit.
 */
export interface Transcript {
  /** Finished parts, oldest first. */
  readonly parts: readonly string[];
  /** Text of the assistant that is still being put together. */
  readonly open: string;
  readonly prompts: Readonly<Record<string, string>>;
}

export function newTranscript(): Transcript {
  return { parts: [], open: '', prompts: {} };
}

export function addToTranscript(transcript: Transcript, event: SessionEvent): Transcript {
  return isKnownEvent(event) ? add(transcript, event) : transcript;
}

/** At most `maxChars`; null when nothing was said yet. */
export function renderTranscript(transcript: Transcript, maxChars: number): string | null {
  const parts = closeText(transcript).parts;
  if (parts.length === 0) return null;
  const kept: string[] = [];
  let room = maxChars - HEADING.length - LEFT_OUT.length;
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const part = parts[index] ?? '';
    if (part.length > room) break;
    room -= part.length;
    kept.unshift(part);
  }
  return HEADING + (kept.length < parts.length ? LEFT_OUT : '') + kept.join('');
}

const HEADING = '# Conversation so far\n\n';
const LEFT_OUT = '(Earlier parts are left out.)\n\n';
/** Of one part: a long prompt or answer must not push everything else out. */
const MAX_PART_CHARS = 8_000;
const MAX_OUTPUT_CHARS = 1_000;
/** Parts held while reading; older ones would not fit anyway. */
const MAX_PARTS = 2_000;

function add(transcript: Transcript, event: KnownSessionEvent): Transcript {
  if (event.type === 'PromptQueued' || event.type === 'PromptEdited') {
    return { ...transcript, prompts: { ...transcript.prompts, [event.data.promptId]: event.data.text } };
  }
  if (event.type === 'TurnStarted') {
    const { [event.data.promptId]: text = '', ...prompts } = transcript.prompts;
    const again = event.data.attempt > 1 ? ` (attempt ${event.data.attempt})` : '';
    // A retry asks the same again, so its text has to stay.
    const kept = { ...prompts, [event.data.promptId]: text };
    return { ...withPart(transcript, `## User${again}\n\n${clip(text, MAX_PART_CHARS)}\n\n`), prompts: kept };
  }
  if (event.type === 'AssistantTextAppended') return { ...transcript, open: transcript.open + event.data.text };
  if (event.type === 'ToolCallStarted') return withPart(transcript, `- Tool \`${event.data.name}\`: ${clip(event.data.title, MAX_OUTPUT_CHARS)}\n`);
  if (event.type === 'ToolCallCompleted') {
    const { outcome, output } = event.data;
    return withPart(transcript, `  ${outcome}\n\n${quote(clip(output.text + (output.tail && `\n…\n${output.tail}`), MAX_OUTPUT_CHARS))}\n\n`);
  }
  if (event.type === 'TurnEnded' && event.data.outcome !== 'completed') {
    return withPart(transcript, `(This turn ended: ${event.data.outcome}${event.data.reason ? `, ${event.data.reason.message}` : ''})\n\n`);
  }
  return transcript;
}

function withPart(transcript: Transcript, part: string): Transcript {
  const closed = closeText(transcript);
  return { ...closed, parts: [...closed.parts.slice(1 - MAX_PARTS), part] };
}

function closeText(transcript: Transcript): Transcript {
  if (transcript.open === '') return transcript;
  const part = `## Assistant\n\n${clip(transcript.open, MAX_PART_CHARS)}\n\n`;
  return { ...transcript, open: '', parts: [...transcript.parts.slice(1 - MAX_PARTS), part] };
}

function clip(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const half = Math.floor(maxChars / 2);
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`;
}

function quote(text: string): string {
  return text
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}
