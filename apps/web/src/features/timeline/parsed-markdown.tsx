import type { ComponentProps, ReactElement } from 'react';
import Markdown from 'react-markdown';
import type { Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import remend from 'remend';

import { CopyButton } from './copy-button.js';
import { ScrollBox } from './scroll-box.js';

export interface MarkdownProps {
  readonly source: string;
  /** More may come: what is open is closed for the eye. */
  readonly isOpen: boolean;
}

export function ParsedMarkdown({ source, isOpen }: MarkdownProps) {
  return (
    <div className="prose-block min-w-0 text-prose break-words">
      <Markdown remarkPlugins={PLUGINS} components={COMPONENTS}>
        {isOpen ? remend(source) : source}
      </Markdown>
    </div>
  );
}

const PLUGINS = [remarkGfm];
const COMPONENTS: Components = { a: Link, img: ImageLink, pre: CodeBlock, table: Table };

/** Only addresses lead away; a path in the repository is a word. */
function Link({ href, children }: ComponentProps<'a'>) {
  if (href === undefined || !/^(?:https?|mailto):/i.test(href)) return <span className="underline decoration-dotted">{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className="text-accent underline">
      {children}
    </a>
  );
}

/** Showing it would tell its host who reads this. */
function ImageLink({ src, alt }: ComponentProps<'img'>) {
  return <Link href={typeof src === 'string' ? src : undefined}>{alt === undefined || alt === '' ? 'Image' : alt}</Link>;
}

function CodeBlock({ children }: ComponentProps<'pre'>) {
  const code = (children as ReactElement<ComponentProps<'code'>> | undefined)?.props;
  const text = typeof code?.children === 'string' ? code.children : '';
  const language = /language-(\S+)/.exec(code?.className ?? '')?.[1];
  return (
    <div className="overflow-hidden rounded-sm border border-border bg-raised">
      <div className="flex h-8 items-center justify-between pr-0.5 pl-3 text-label text-muted pointer-coarse:h-11">
        <span>{language ?? 'Text'}</span>
        <CopyButton label="Copy the code" text={text} />
      </div>
      <ScrollBox label="Code" className="overflow-x-auto border-t border-border bg-surface p-3 text-code">
        <pre>{children}</pre>
      </ScrollBox>
    </div>
  );
}

function Table({ children }: ComponentProps<'table'>) {
  return (
    <ScrollBox label="Table" className="overflow-x-auto">
      <table className="border-collapse">{children}</table>
    </ScrollBox>
  );
}
