import type { Conversation, Tool, ToolCall, ToolSchema } from './conversation.js';
import type { Step } from './script.js';

/** A step that needs a tool of the agent. */
export type ToolStep = Extract<Step, { kind: 'write' | 'edit' | 'read' | 'run' }>;

type Role = 'path' | 'content' | 'before' | 'after' | 'command';
type RoleValues = Readonly<Partial<Record<Role, string>>>;

const TOOL_NAMES: Readonly<Record<ToolStep['kind'], readonly string[]>> = {
  write: ['write', 'write_file', 'create_file'],
  edit: ['edit', 'edit_file', 'str_replace'],
  read: ['read', 'read_file', 'view'],
  run: ['bash', 'shell', 'run_command', 'exec_command'],
};

const PARAMETER_ROLES: Readonly<Record<string, Role>> = {
  path: 'path',
  file_path: 'path',
  filePath: 'path',
  content: 'content',
  contents: 'content',
  oldText: 'before',
  old_string: 'before',
  oldString: 'before',
  old_str: 'before',
  newText: 'after',
  new_string: 'after',
  newString: 'after',
  new_str: 'after',
  command: 'command',
  cmd: 'command',
};

/** The call that carries out a step with the tools the agent offers, or null when none of them can. */
export function toolCallFor(step: ToolStep, { tools, workingDirectory }: Conversation): ToolCall | null {
  const values = roleValues(step);
  for (const tool of candidates(step.kind, tools)) {
    const input = fill(tool.schema, values, workingDirectory);
    if (countRoles(input) === Object.keys(values).length) return { name: tool.name, input };
  }
  return null;
}

function candidates(kind: ToolStep['kind'], tools: readonly Tool[]): Tool[] {
  return TOOL_NAMES[kind].flatMap((name) => tools.filter((tool) => tool.name.toLowerCase() === name));
}

function roleValues(step: ToolStep): RoleValues {
  switch (step.kind) {
    case 'write':
      return { path: step.path, content: step.content };
    case 'edit':
      return { path: step.path, before: step.before, after: step.after };
    case 'read':
      return { path: step.path };
    case 'run':
      return { command: step.command };
  }
}

/** Arguments by the schema's own parameter names; a list of objects (pi's `edits`) gets one entry. */
function fill(schema: ToolSchema, values: RoleValues, workingDirectory: string | null): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = fillParameter(name, property, values, workingDirectory);
    if (value !== undefined) input[name] = value;
    else if (schema.required?.includes(name) && property.type === 'string') input[name] = 'Scripted step';
  }
  return input;
}

function fillParameter(name: string, property: ToolSchema, values: RoleValues, workingDirectory: string | null): unknown {
  const role = PARAMETER_ROLES[name];
  const value = role === undefined ? undefined : values[role];
  if (value !== undefined) return role === 'path' ? resolvePath(value, property, workingDirectory) : value;
  if (property.type !== 'array' || property.items?.properties === undefined) return undefined;
  const entry = fill(property.items, values, workingDirectory);
  return countRoles(entry) > 0 ? [entry] : undefined;
}

function resolvePath(path: string, property: ToolSchema, workingDirectory: string | null): string {
  const text = typeof property.description === 'string' ? property.description : '';
  const mustBeAbsolute = /absolute path/i.test(text) && !/relative or absolute/i.test(text);
  return mustBeAbsolute && workingDirectory !== null && !path.startsWith('/') ? `${workingDirectory}/${path}` : path;
}

function countRoles(input: Readonly<Record<string, unknown>>): number {
  return Object.entries(input).reduce((count, [name, value]) => {
    if (Array.isArray(value)) return count + countRoles(value[0] as Record<string, unknown>);
    return PARAMETER_ROLES[name] === undefined ? count : count + 1;
  }, 0);
}
