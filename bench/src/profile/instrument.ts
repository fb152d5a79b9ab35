import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { CHECKOUT } from '../checkout.js';
import { PROFILE_VARIABLE } from './profile-file.js';
import type { Hop, ProfileFile } from './profile-file.js';

/**
 * Loaded into the platform's process before the platform: notes when each event passes a hop, in methods of the libraries that both sides
 * of the hop use, and samples the CPU from the first event on. The product's own code knows nothing of it.
 */
type Method = (this: Record<string, unknown>, ...args: unknown[]) => unknown;
type Prototype = Record<string, Method>;

const MADE = /"text":"(\d+\.\d{3}) /g;
const SAMPLE_US = 200;

const times: Record<Exclude<Hop, 'received'>, Record<string, number>> = { linked: {}, published: {}, stored: {}, tailed: {}, emitted: {}, written: {} };
const inspector = new Session();
let sampling = false;

const load = createRequire(import.meta.url);
const nats = dirname(load.resolve('@nats-io/jetstream'));
// Nest brings a Socket.IO of its own.
const nest = createRequire(createRequire(join(CHECKOUT, 'services/gateway/package.json')).resolve('@nestjs/platform-socket.io'));
const engine = createRequire(createRequire(nest.resolve('socket.io')).resolve('engine.io'));

before(load('ws').prototype, 'emit', function ([event, data]) {
  if (event === 'message' && this['_isServer'] === true) mark('linked', String(data));
});
before(load(join(nats, 'jsclient.js')).JetStreamClientImpl.prototype, '_publish', (args) => mark('published', Buffer.from(args[1] as Uint8Array).toString()));
noteTailed(load(join(nats, 'jsmsg.js')).JsMsgImpl.prototype);
before(nest('socket.io').Socket.prototype, 'emit', ([event, batch]) => {
  if (event === 'session.events') mark('emitted', JSON.stringify(batch));
});
noteWritten(engine('ws').prototype);
process.on('exit', save);

function before(prototype: Prototype, name: string, look: (this: Record<string, unknown>, args: unknown[]) => void): void {
  const original = prototype[name] as Method;
  prototype[name] = function (...args) {
    look.call(this, args);
    return original.apply(this, args);
  };
}

/** The gateway's own consumer, among the several of a process; the server stamped the message when it took it. */
function noteTailed(prototype: object): void {
  interface Message {
    readonly msg: { readonly data: Uint8Array; readonly publisher: { readonly options: { readonly name: string } } };
    readonly info: { readonly timestampNanos: number };
  }
  Object.defineProperty(prototype, 'data', {
    get(this: Message) {
      const { data, publisher } = this.msg;
      if (publisher.options.name === 'bullpen-gateway') {
        const text = Buffer.from(data).toString();
        mark('stored', text, this.info.timestampNanos / 1e6);
        mark('tailed', text);
      }
      return data;
    },
  });
}

function noteWritten(prototype: Prototype): void {
  const send = prototype['send'] as Method;
  prototype['send'] = function (data, ...rest) {
    const done = rest.pop();
    const written = (error: unknown): void => {
      mark('written', String(data).replaceAll('\\"', '"'));
      if (typeof done === 'function') done(error);
    };
    return send.call(this, data, ...rest, typeof done === 'function' ? written : done);
  };
}

function mark(hop: keyof typeof times, text: string, at = performance.timeOrigin + performance.now()): void {
  for (const [, made] of text.matchAll(MADE)) {
    times[hop][made ?? ''] ??= at;
    if (!sampling) startSampling();
  }
}

function startSampling(): void {
  sampling = true;
  inspector.connect();
  inspector.post('Profiler.enable');
  inspector.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  inspector.post('Profiler.start');
}

function save(): void {
  const path = process.env[PROFILE_VARIABLE];
  if (path === undefined) return;
  const cpu: { profile?: Profiler.Profile } = {};
  if (sampling) inspector.post('Profiler.stop', (_error, answer) => Object.assign(cpu, answer));
  const file: ProfileFile = { times };
  writeFileSync(`${path}.hops.json`, JSON.stringify(file));
  if (cpu.profile) writeFileSync(`${path}.cpuprofile`, JSON.stringify(cpu.profile));
}
