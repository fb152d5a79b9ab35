import { describe, expect, it } from '@jest/globals';

import type { Conversation, Tool } from './conversation.js';
import { planReply } from './reply.js';
import { SCRIPT_HINT } from './script.js';

const PI_TOOLS: Tool[] = [
  { name: 'read', schema: { properties: { path: { type: 'string' }, offset: { type: 'number' } }, required: ['path'] } },
  { name: 'bash', schema: { properties: { command: { type: 'string' }, timeout: { type: 'number' } }, required: ['command'] } },
  {
    name: 'edit',
    schema: {
      properties: {
        path: { type: 'string', description: 'Path to the file to edit (relative or absolute)' },
        edits: { type: 'array', items: { properties: { oldText: { type: 'string' }, newText: { type: 'string' } } } },
      },
    },
  },
  { name: 'write', schema: { properties: { path: { type: 'string' }, content: { type: 'string' } } } },
];
const CLAUDE_TOOLS: Tool[] = [
  { name: 'Write', schema: { properties: { file_path: { type: 'string', description: 'The absolute path' }, content: { type: 'string' } } } },
  {
    name: 'Edit',
    schema: { properties: { file_path: { type: 'string' }, old_string: { type: 'string' }, new_string: { type: 'string' } } },
  },
  {
    name: 'Bash',
    schema: { properties: { command: { type: 'string' }, description: { type: 'string' } }, required: ['command', 'description'] },
  },
];

function conversation(prompt: string, given: Partial<Conversation> = {}): Conversation {
  const base = { callsSincePrompt: 0, failedSincePrompt: 0, tools: PI_TOOLS, workingDirectory: null };
  return { prompts: [prompt], ...base, ...given };
}

function reply(prompt: string, given: Partial<Conversation> = {}) {
  const planned = planReply(conversation(prompt, given));
  if (planned.kind === 'error') return planned;
  return { text: planned.text.map((part) => part.text).join(''), call: planned.toolCall };
}

describe('planReply', () => {
  it('makes one call at a time and goes on after its result', () => {
    const script = 'say: first\nwrite a.txt: one\nrun: ls';
    expect(reply(script)).toEqual({
      text: 'first\nStep 1 of 2: write a.txt',
      call: { name: 'write', input: { path: 'a.txt', content: 'one\n' } },
    });
    expect(reply(script, { callsSincePrompt: 1 })).toEqual({ text: 'Step 2 of 2: run ls', call: { name: 'bash', input: { command: 'ls' } } });
    expect(reply(script, { callsSincePrompt: 2 })).toEqual({ text: 'Done: 2 steps.', call: null });
    expect(reply(script, { callsSincePrompt: 2, failedSincePrompt: 1 })).toMatchObject({ text: 'Done: 2 steps, 1 failed.' });
  });

  it('fills the parameters that the tools have, nested ones too', () => {
    expect(reply('edit a.ts: x => y')).toMatchObject({
      call: { name: 'edit', input: { path: 'a.ts', edits: [{ oldText: 'x', newText: 'y' }] } },
    });
    expect(reply('edit a.ts: x => y', { tools: CLAUDE_TOOLS })).toMatchObject({
      call: { name: 'Edit', input: { file_path: 'a.ts', old_string: 'x', new_string: 'y' } },
    });
    expect(reply('run: ls', { tools: CLAUDE_TOOLS })).toMatchObject({ call: { input: { command: 'ls', description: 'Scripted step' } } });
  });

  it('makes a path absolute where the tool demands it and the folder is known', () => {
    expect(reply('write a.txt: x', { tools: CLAUDE_TOOLS, workingDirectory: '/r' })).toMatchObject({ call: { input: { file_path: '/r/a.txt' } } });
    expect(reply('read a.txt', { workingDirectory: '/r' })).toMatchObject({ call: { input: { path: 'a.txt' } } });
  });

  it('says so when no tool fits, and goes on', () => {
    expect(reply('read a\nsay: bye', { tools: [] })).toEqual({ text: 'Cannot read a: this request offers no tool for it.\nbye', call: null });
  });

  it('fails where the script says so, after the calls before it', () => {
    expect(reply('run: ls\nerror: 529')).toMatchObject({ call: { name: 'bash' } });
    expect(reply('run: ls\nerror: 529', { callsSincePrompt: 1 })).toEqual({ kind: 'error', status: 529 });
  });

  it('echoes prose with the number of the turn', () => {
    expect(reply('', { prompts: ['hello', 'and again'] })).toEqual({ text: `Echo(turn 2): and again\n\n${SCRIPT_HINT}`, call: null });
    for (const word of ['write ', 'edit ', 'read ', 'run:', 'say:', 'slow:', 'error:']) expect(SCRIPT_HINT).toContain(word);
  });

  it('gives slow text its delay', () => {
    expect(planReply(conversation('slow: 2'))).toEqual({ kind: 'message', text: [{ text: 'word1 word2', wordDelayMs: 100 }], toolCall: null });
  });
});
