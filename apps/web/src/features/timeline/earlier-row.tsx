import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { plural } from '../../lib/format.js';

export interface EarlierProps {
  readonly omitted: number;
  readonly isLoading: boolean;
  readonly error: unknown;
  readonly onLoad: () => void;
}

/** A long session opens at its end; the way to its beginning. */
export function EarlierView({ omitted, isLoading, error, onLoad }: EarlierProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 py-3 text-muted">
      <span>{plural(omitted, 'earlier entry', 'earlier entries')}</span>
      <Button disabled={isLoading} onClick={onLoad}>
        {isLoading ? 'Loading earlier' : 'Load earlier'}
      </Button>
      {error === null ? null : (
        <span role="alert" className="text-error">
          What came earlier was not loaded. {explain(error)}
        </span>
      )}
    </div>
  );
}
