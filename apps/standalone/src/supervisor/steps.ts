/** Where a person's lines go. */
export type Say = (line: string) => void;

/** Runs one step of the start and shows it with its time, in the form that the scripts in tools/ use. */
export async function step<T>(say: Say, name: string, work: () => Promise<T>, note: (result: T) => string = () => ''): Promise<T> {
  const began = Date.now();
  try {
    const result = await work();
    say(`${`${((Date.now() - began) / 1_000).toFixed(1)} s`.padStart(7)}  ${name}${note(result)}`);
    return result;
  } catch (error) {
    say(`${'failed'.padStart(7)}  ${name}`);
    throw error;
  }
}
