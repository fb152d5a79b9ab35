import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

import { CODE_LANGUAGES } from './src/lib/code-languages.ts';

/** What the diff viewer could load, by the end of its path, and what stands instead: other engines, themes, and the grammars that are not ours. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  '/shiki/dist/langs.mjs': `export const bundledLanguages = { ${Object.entries(CODE_LANGUAGES)
    .map(([name, grammar]) => `'${name}': () => import('@shikijs/langs/${grammar}')`)
    .join(', ')} };`,
  '/shiki/dist/engine-oniguruma.mjs': 'export {};',
  '/shiki/dist/wasm.mjs': 'export {};',
  '/@pierre/diffs/dist/highlighter/backends/highlights.js': 'export {};',
  '/@pierre/highlights/dist/themes/loader.js': 'export const themes = {};',
  '/@pierre/theming/dist/themes.js': 'export const themes = { getTheme: () => undefined };',
};

/** Hundreds of files that no page asks for would be built, compressed and served. */
function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    enforce: 'pre',
    load: (id) => LEFT_OUT[Object.keys(LEFT_OUT).find((end) => id.endsWith(end)) ?? ''] ?? null,
  };
}

/** Assets are named by their content and served as immutable; only index.html is asked for again. */
export default defineConfig({
  plugins: [leaveOut(), tailwindcss()],
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  build: { target: 'es2023', sourcemap: true, manifest: true, outDir: 'dist/site', assetsInlineLimit: 0, modulePreload: { polyfill: false }, rolldownOptions: { checks: { moduleLevelDirective: false } } },
  worker: { format: 'es' },
  server: { host: '127.0.0.1' },
});
