import { createInterface } from 'node:readline/promises';

/** What a person answers in a terminal; empty after Ctrl-C or Ctrl-D, which mean no. */
export async function ask(question: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  const asking = createInterface({ input, output, terminal: true });
  try {
    return await asking.question(question);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ABORT_ERR') throw error;
    output.write('\n');
    return '';
  } finally {
    asking.close();
  }
}
