/** A longer record is skipped: nothing that pi sends and we use comes near it. */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;

const LINE_FEED = 0x0a;

/**
 * Splits a byte stream into JSON records on `\n` alone: U+2028 and U+2029 are legal inside a JSON string. Reads on only when the
 * consumer asks, so that a slow consumer slows the writer. What is no JSON object, or longer than `maxBytes`, is left out and reported
 * to `onSkipped`.
 */
export async function* readJsonLines(
  source: AsyncIterable<Uint8Array>,
  onSkipped: (why: string) => void,
  maxBytes = MAX_RECORD_BYTES,
): AsyncGenerator<Record<string, unknown>> {
  let kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    let rest = chunk;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      bytes += end;
      if (bytes <= maxBytes) kept.push(rest.subarray(0, end));
      const record = bytes <= maxBytes ? parseRecord(Buffer.concat(kept), onSkipped) : null;
      if (bytes > maxBytes) onSkipped(`a record of ${bytes} bytes is longer than ${maxBytes}`);
      kept = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
      if (record) yield record;
    }
    bytes += rest.length;
    if (bytes > maxBytes) kept = [];
    else if (rest.length > 0) kept.push(rest);
  }
}

function parseRecord(line: Buffer, onSkipped: (why: string) => void): Record<string, unknown> | null {
  const text = line.toString('utf8').trim();
  if (text === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below: a line that is no record is not worth a turn.
  }
  onSkipped(`a line of ${line.length} bytes is no JSON object`);
  return null;
}
