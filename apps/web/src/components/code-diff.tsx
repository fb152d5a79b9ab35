import type { FileDiffMetadata } from '@pierre/diffs';
import { getFiletypeFromFileName, registerCustomCSSVariableTheme } from '@pierre/diffs';
import { FileDiff } from '@pierre/diffs/react';
import { useMemo, useSyncExternalStore } from 'react';

import { codeLanguageOf } from '../lib/code-languages.js';
import { shownTheme, subscribeTheme } from '../lib/theme.js';

/** One theme for light and dark: its colours are our tokens (styles/index.css, `diffs-container`). */
const CODE_THEME = 'bullpen';
registerCustomCSSVariableTheme(CODE_THEME, {});

/**
 * The fills are our tokens as they are. Changed words get a bar at their foot instead of a stronger fill, which would take the contrast from
 * the letters on it.
 */
const OWN_STYLE = `
[data-line], [data-no-newline], [data-gutter-buffer], [data-column-number] { --mix-light: 0%; --mix-dark: 0%; }
[data-diff-span] { border-radius: 0; }
[data-line-type=change-addition] [data-diff-span] { background-color: transparent; box-shadow: inset 0 -2px var(--ok); }
[data-line-type=change-deletion] [data-diff-span] { background-color: transparent; box-shadow: inset 0 -2px var(--error); }
`;

export interface CodeDiffProps {
  readonly diff: FileDiffMetadata;
  readonly layout: 'unified' | 'split';
  readonly isWrapped: boolean;
}

/** The lines of one file's diff. Import it lazily: its library is the largest of the page. */
export function CodeDiff({ diff, layout, isWrapped }: CodeDiffProps) {
  const themeType = useSyncExternalStore(subscribeTheme, shownTheme);
  const coloured = useMemo(() => ({ ...diff, lang: codeLanguageOf(getFiletypeFromFileName(diff.name)) }), [diff]);
  const options = useMemo(
    () => ({
      theme: CODE_THEME,
      themeType,
      diffStyle: layout,
      overflow: isWrapped ? ('wrap' as const) : ('scroll' as const),
      disableFileHeader: true,
      hunkSeparators: 'metadata' as const,
      diffIndicators: 'classic' as const,
      unsafeCSS: OWN_STYLE,
      onPostRender: letKeysScroll,
    }),
    [themeType, layout, isWrapped],
  );
  return <FileDiff fileDiff={coloured} options={options} disableWorkerPool />;
}

/** Long lines scroll sideways inside the viewer: also for who has no mouse. */
function letKeysScroll(node: HTMLElement): void {
  for (const code of node.shadowRoot?.querySelectorAll('code') ?? []) code.tabIndex = 0;
}
