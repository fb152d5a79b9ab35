import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

/** Assets are named by their content and served as immutable; only index.html is asked for again. */
export default defineConfig({
  plugins: [tailwindcss()],
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  build: { target: 'es2023', sourcemap: true, manifest: true, outDir: 'dist/site', assetsInlineLimit: 0, modulePreload: { polyfill: false }, rolldownOptions: { checks: { moduleLevelDirective: false } } },
  worker: { format: 'es' },
  server: { host: '127.0.0.1' },
});
