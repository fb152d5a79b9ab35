import { readFileSync } from 'node:fs';

import type { seededRandom } from '../faults/seeds.js';

type Random = ReturnType<typeof seededRandom>;

/** What parsers, databases and shells are known to stumble over. */
const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e\u2066',
  '🧨'.repeat(400),
  "'; DROP TABLE session_list; --",
  '${jndi:ldap://127.0.0.1/x}',
  '../../../../etc/passwd',
  '-c core.sshCommand=false',
  '--upload-pack=false',
  'ext::false',
  'file:///dev/zero',
  'http://127.0.0.1:1/',
  'constructor',
  '__proto__',
  'NaN',
  '-1',
  '1e999',
  '9'.repeat(20),
  '18446744073709551616',
  '0x10',
  '%s%n%00',
  '\r\nSet-Cookie: a=b',
  '*',
  '>',
  '$',
  'evt.00.>',
  '00'.padEnd(28, '0'),
  '00'.padEnd(28, '~'),
  'x'.repeat(5_000),
  Buffer.from('["\\u0000","\\u0000"]').toString('base64url'),
  Buffer.from('["\\ud800",{}]').toString('base64url'),
  Buffer.from('[]').toString('base64url'),
];

const HOSTILE_VALUES: readonly unknown[] = [null, true, false, 0, -1, 1e308, 2 ** 53, [], {}, [[]], { length: 9 }, { toString: 1 }, ['a', null]];

/** One seed, one row of inputs. */
export class Hostile {
  constructor(readonly random: Random) {}

  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  pick<Value>(values: readonly [Value, ...Value[]] | readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined && values.length === 0) throw new Error('nothing to pick from');
    return value as Value;
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(most) + 1 }, () => this.below(256)));
  }

  text(): string {
    if (this.chance(0.7)) return this.pick(HOSTILE_TEXTS);
    return String.fromCharCode(...Array.from({ length: this.below(40) }, () => this.below(0x1_0000)));
  }

  value(): unknown {
    return this.chance(0.5) ? this.text() : this.pick(HOSTILE_VALUES);
  }

  object(fields: readonly string[]): Record<string, unknown> {
    const known = fields.filter(() => this.chance(0.6)).map((field) => [field, this.value()] as const);
    const foreign = this.chance(0.4) ? [[this.text(), this.value()] as const] : [];
    return Object.fromEntries([...known, ...foreign]);
  }

  /** JSON, or something near it. */
  json(fields: readonly string[]): string | Buffer {
    const whole = JSON.stringify(this.object(fields));
    switch (this.below(10)) {
      case 0:
        return whole.slice(0, this.below(whole.length) + 1).slice(0, -1);
      case 1:
        return this.bytes(300);
      case 2:
        return this.chance(0.1) ? '['.repeat(100_000) : '{"a":'.repeat(2_000);
      case 3:
        return `{"__proto__":${whole},"constructor":{"prototype":${whole}}}`;
      case 4:
        return JSON.stringify(this.value());
      case 5:
        return Buffer.concat([Buffer.from(whole), Buffer.from([0xff, 0xc0, 0x80])]);
      case 6:
        return `${whole}${whole}`;
      default:
        return whole;
    }
  }
}

/** As a failing test prints it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, hexOfBytes) ?? String(value);
  return text.length <= 2_000 ? text : `${text.slice(0, 2_000)}… (${text.length} characters)`;
}

function hexOfBytes(_key: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
  return isBytes ? `hex ${Buffer.from(value.data as number[]).toString('hex')}` : value;
}

const CODE = /^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+$/;

/** What is wrong with a code and its text; null for nothing. No input may make the platform say that it is broken, or away. */
export function faultOfDescription(code: unknown, message: unknown): string | null {
  if (typeof code !== 'string' || !CODE.test(code)) return `no stable code: ${shown(code)}`;
  if (code.endsWith('.unavailable')) return `it says that something is away: ${code}`;
  return typeof message === 'string' && message.length > 10 ? null : `no text: ${shown(message)}`;
}

/** Memory of these processes together. */
export function residentBytes(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}
