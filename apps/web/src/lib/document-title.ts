import { useEffect } from 'react';

/** What the browser's tab says while the component is shown. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Bullpen`;
    return () => {
      document.title = 'Bullpen';
    };
  }, [title]);
}
