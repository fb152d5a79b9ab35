import { useEffect, useRef, useState } from 'react';
import type { SubmitEvent } from 'react';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { TextField } from '../../components/text-field.js';
import { useAddRepository } from './repositories-query.js';
import type { Repository } from './repositories-query.js';

export interface AddRepositoryFormProps {
  /** To begin with. */
  readonly source: string;
  readonly onAdded: (repository: Repository) => void;
  readonly onBack: () => void;
}

/** The platform looks at the source first; what it finds wrong stands below the field. */
export function AddRepositoryForm({ source: begun, onAdded, onBack }: AddRepositoryFormProps) {
  const [source, setSource] = useState(begun);
  const field = useRef<HTMLInputElement>(null);
  const add = useAddRepository();
  useEffect(() => field.current?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    // In a portal, yet still inside the composer's form.
    event.stopPropagation();
    if (add.isPending || source.trim() === '') return;
    add.mutate(source.trim(), { onSuccess: onAdded, onError: () => field.current?.focus() });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 p-3">
      <label htmlFor="repository-source" className="font-medium">
        URL or path of a git repository
      </label>
      <TextField
        ref={field}
        id="repository-source"
        value={source}
        autoComplete="off"
        spellCheck={false}
        placeholder="https://github.com/acme/api"
        aria-invalid={add.isError}
        aria-describedby="repository-hint"
        onChange={(event) => setSource(event.target.value)}
      />
      <p id="repository-hint" role={add.isError ? 'alert' : undefined} className={add.isError ? 'text-error' : 'text-label text-muted'}>
        {add.isError ? explain(add.error) : 'An https or ssh URL, or an absolute path on the machine that runs Bullpen.'}
      </p>
      <div className="flex justify-end gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button type="submit" aria-disabled={add.isPending || source.trim() === ''}>
          {add.isPending ? 'Looking at it…' : 'Add'}
        </Button>
      </div>
    </form>
  );
}
