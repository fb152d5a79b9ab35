import { Skeleton } from '../../components/states.js';

const TREE_ROWS = ['w-40', 'w-52', 'w-44', 'w-36'];

/** In the places of the toolbar, the tree and the diff. */
export function ChangesSkeleton() {
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex items-center gap-3 border-b border-border px-3 py-1.5">
        <Skeleton className="h-8 w-56 pointer-coarse:h-11" label="Loading the changes" />
      </div>
      <FilesSkeleton />
    </div>
  );
}

export function FilesSkeleton() {
  return (
    <div className="flex min-h-0 flex-1">
      <div className="hidden w-[260px] shrink-0 flex-col gap-2 border-r border-border p-3 md:flex">
        {TREE_ROWS.map((width) => (
          <Skeleton key={width} className={`h-5 ${width}`} />
        ))}
      </div>
      <div className="flex min-w-0 flex-1 flex-col gap-2 p-3">
        <Skeleton className="h-7 w-72 max-w-full" />
        <Skeleton className="h-64 w-full" />
      </div>
    </div>
  );
}
