import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { readJsonLines } from './json-lines.js';

async function collect(
  chunks: Uint8Array[],
  maxBytes?: number,
): Promise<{ records: Record<string, unknown>[]; skipped: string[] }> {
  const skipped: string[] = [];
  const records: Record<string, unknown>[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const record of readJsonLines(source(), (why) => skipped.push(why), maxBytes)) records.push(record);
  return { records, skipped };
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [...new Set(at.map((n) => n % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
}

describe('readJsonLines', () => {
  it('gives the same records wherever the stream is cut', async () => {
    const value = fc.record({ text: fc.string({ unit: 'grapheme' }), n: fc.integer() });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), async (values, places) => {
        const bytes = Buffer.from(values.map((v) => `${JSON.stringify(v)}\n`).join(''));
        expect((await collect(cut(bytes, places))).records).toEqual(values);
      }),
    );
  });

  it('splits on line feeds only: U+2028, U+2029 and a carriage return inside do not end a record', async () => {
    const record = { text: 'a\u2028b\u2029c' };
    expect((await collect([Buffer.from(`${JSON.stringify(record)}\r\n`)])).records).toEqual([record]);
  });

  it('skips what is too long or no record, and goes on after it', async () => {
    const long = `{"text":"${'x'.repeat(100)}"}`;
    const { records, skipped } = await collect(cut(Buffer.from(`${long}\nnot json\n[1]\n\n{"n":1}\n`), [40, 80]), 64);
    expect(records).toEqual([{ n: 1 }]);
    expect(skipped).toHaveLength(3);
  });
});
