import { useState } from 'react';

/** What a session is started with, besides its prompt; empty is the default. */
export interface HomeChoices {
  readonly repositoryId: string;
  readonly branch: string;
  readonly agent: string;
  readonly model: string;
}

const STORAGE_KEY = 'bullpen.choices';
const NONE: HomeChoices = { repositoryId: '', branch: '', agent: '', model: '' };

/** As it was left last, over a reload too. */
export function useHomeChoices(): readonly [HomeChoices, (change: Partial<HomeChoices>) => void] {
  const [choices, setChoices] = useState(readChoices);
  const change = (next: Partial<HomeChoices>): void => {
    const changed = { ...choices, ...next };
    setChoices(changed);
    keepChoices(changed);
  };
  return [choices, change];
}

function readChoices(): HomeChoices {
  try {
    return { ...NONE, ...(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<HomeChoices>) };
  } catch {
    return NONE;
  }
}

function keepChoices(choices: HomeChoices): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(choices));
  } catch {
    // They last as long as the page.
  }
}
