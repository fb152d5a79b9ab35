/**
 * The languages that code is coloured in, by the name under which the diff viewer asks for one, with the grammar's own name. Each is a chunk
 * that loads when a file needs it; the build leaves out the hundreds of others (vite.config.ts).
 */
export const CODE_LANGUAGES: Readonly<Record<string, string>> = {
  c: 'c',
  cpp: 'cpp',
  csharp: 'csharp',
  css: 'css',
  dart: 'dart',
  dockerfile: 'docker',
  elixir: 'elixir',
  go: 'go',
  graphql: 'graphql',
  html: 'html',
  ini: 'ini',
  java: 'java',
  javascript: 'javascript',
  json: 'json',
  jsonc: 'jsonc',
  jsx: 'jsx',
  kotlin: 'kotlin',
  lua: 'lua',
  makefile: 'make',
  markdown: 'markdown',
  php: 'php',
  protobuf: 'proto',
  python: 'python',
  ruby: 'ruby',
  rust: 'rust',
  scss: 'scss',
  sql: 'sql',
  svelte: 'svelte',
  swift: 'swift',
  tf: 'terraform',
  toml: 'toml',
  tsx: 'tsx',
  typescript: 'typescript',
  vue: 'vue',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  zsh: 'shellscript',
};

/** Languages that look like one of ours. */
const INSTEAD: Readonly<Record<string, string>> = { 'objective-cpp': 'cpp', mdx: 'markdown' };

/** The name to colour a file by; `text` for what is shown without colours. `detected`: what the diff viewer makes of the file's name. */
export function codeLanguageOf(detected: string): string {
  const name = INSTEAD[detected] ?? detected;
  return Object.hasOwn(CODE_LANGUAGES, name) ? name : 'text';
}
