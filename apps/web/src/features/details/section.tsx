import type { ReactNode } from 'react';

/** A part of the details under its heading; `note` stands at the right of it: `2/4`. */
export function Section({ title, note, children }: { readonly title: string; readonly note?: ReactNode; readonly children: ReactNode }) {
  return (
    <section className="border-b border-border px-4 py-3 last:border-b-0">
      <h2 className="mb-2 flex items-center justify-between gap-2 text-ui font-medium">
        {title}
        {note === undefined ? null : <span className="text-label font-normal text-muted">{note}</span>}
      </h2>
      {children}
    </section>
  );
}

/** What will stand here, when nothing does yet. */
export function Nothing({ children }: { readonly children: ReactNode }) {
  return <p className="text-muted">{children}</p>;
}
