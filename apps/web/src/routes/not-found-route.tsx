import { Link } from '@tanstack/react-router';

import { useDocumentTitle } from '../lib/document-title.js';
import { PageFrame } from './page-frame.js';

export function NotFoundRoute() {
  return <NothingHere title="There is nothing here" text="This address leads to no page. Check it, or start over." />;
}

/** Why there is nothing to show, and the way on. */
export function NothingHere({ title, text }: { readonly title: string; readonly text: string }) {
  useDocumentTitle(title);
  return (
    <PageFrame>
      <div className="m-auto max-w-[420px] p-6 text-center">
        <h1 className="text-title font-semibold">{title}</h1>
        <p className="mt-2 text-prose text-muted">{text}</p>
        <Link to="/" className="mt-4 inline-flex items-center rounded-sm text-prose text-accent underline underline-offset-2 pointer-coarse:min-h-11">
          Start a new session
        </Link>
      </div>
    </PageFrame>
  );
}
