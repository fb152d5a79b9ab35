/** A JSON Schema, as far as tool arguments need it. */
export interface ToolSchema {
  readonly type?: unknown;
  readonly description?: unknown;
  readonly properties?: Readonly<Record<string, ToolSchema>>;
  readonly items?: ToolSchema;
  readonly required?: readonly string[];
}

export interface Tool {
  readonly name: string;
  readonly schema: ToolSchema;
}

export interface ToolCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a request says, whichever dialect it came in. */
export interface Conversation {
  /** Texts the user wrote, oldest first; tool results are none. Never empty. */
  readonly prompts: readonly string[];
  /** Tool calls made since the last prompt: how far its script has come. */
  readonly callsSincePrompt: number;
  /** How many of these calls failed, where the dialect tells. */
  readonly failedSincePrompt: number;
  readonly tools: readonly Tool[];
  /** The folder the system prompt names, for tools that demand absolute paths. */
  readonly workingDirectory: string | null;
}

export interface TextPart {
  readonly text: string;
  readonly wordDelayMs: number;
}

export type Reply =
  | { readonly kind: 'error'; readonly status: number }
  | { readonly kind: 'message'; readonly text: readonly TextPart[]; readonly toolCall: ToolCall | null };

const WORKING_DIRECTORY = /working directory:\s*(\/[^\n<]*)/i;

export function findWorkingDirectory(systemText: string): string | null {
  return WORKING_DIRECTORY.exec(systemText)?.[1]?.trim() ?? null;
}

/** Agents wrap reminders of their own into what the user wrote; these are no part of the prompt. */
export function withoutReminders(text: string): string {
  return text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '').trim();
}
