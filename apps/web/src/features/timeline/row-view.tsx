import { memo, useEffect } from 'react';

import { countRender } from './count-renders.js';
import { CheckpointView } from './checkpoint-row.js';
import { isOpenAtFirst } from './foldable.js';
import { MarkdownBlock } from './markdown-block.js';
import { NoticeView } from './notice-row.js';
import { PromptView } from './prompt-row.js';
import { ReasoningView } from './reasoning-row.js';
import type { EarlierRow, Row } from './rows.js';
import { RunningView } from './running-row.js';
import { ToolView } from './tool-row.js';
import { ToolsView } from './tools-row.js';

/** The row that loads what is missing needs more than itself, and is rendered by the list. */
export type PlainRow = Exclude<Row, EarlierRow>;

/** Rendered again only when the row is another object. */
export const RowView = memo(function RowView({ row }: { readonly row: PlainRow }) {
  useEffect(() => countRender(row.key));
  switch (row.kind) {
    case 'prompt':
      return <PromptView row={row} />;
    case 'text':
      return (
        <div className="py-1.5">
          <MarkdownBlock source={row.source} isOpen={row.isOpen} />
        </div>
      );
    case 'reasoning':
      return <ReasoningView row={row} />;
    case 'tools':
      return <ToolsView row={row} />;
    case 'tool':
      return <ToolView tool={row.tool} id={row.key} isOpenAtFirst={isOpenAtFirst(row.tool)} />;
    case 'notice':
      return <NoticeView row={row} />;
    case 'checkpoint':
      return <CheckpointView row={row} />;
    case 'running':
      return <RunningView row={row} />;
  }
});
