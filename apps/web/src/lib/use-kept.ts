import { useCallback, useState } from 'react';

/** A choice that this browser keeps; `fallback` when it kept none of `values`. */
export function useKept<Value extends string>(name: string, values: readonly Value[], fallback: Value): readonly [Value, (value: Value) => void] {
  const [value, setValue] = useState(() => readKept(name, values) ?? fallback);
  const keep = useCallback(
    (next: Value) => {
      setValue(next);
      try {
        localStorage.setItem(`bullpen.${name}`, next);
      } catch {
        // It then lasts until the page is left.
      }
    },
    [name],
  );
  return [value, keep];
}

function readKept<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
  try {
    const kept = localStorage.getItem(`bullpen.${name}`);
    return values.find((value) => value === kept);
  } catch {
    return undefined;
  }
}
