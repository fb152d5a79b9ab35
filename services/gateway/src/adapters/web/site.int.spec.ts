import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { TOKEN, startTestGateway } from '../../../test/gateway.harness.js';
import type { TestGateway } from '../../../test/gateway.harness.js';
import { MemoryEventLog } from '../../../test/memory-event-log.js';
import { serveSite } from './site.js';

const PAGE = '<!doctype html><script type="module" src="/assets/index-A1.js"></script>';
const SCRIPT = 'console.log(1);'.repeat(200);
const root = mkdtempSync(join(tmpdir(), 'bullpen-site-'));
const site = join(root, 'site');
let gateway: TestGateway;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends the path to the letter and unpacks nothing: fetch does neither. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject).end();
  });
}

function build(script: string): void {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(join(site, 'assets'), { recursive: true });
  const file = join(site, 'assets', script);
  writeFileSync(join(site, 'index.html'), PAGE.replace('index-A1.js', script));
  writeFileSync(join(site, 'favicon.svg'), '<svg/>');
  writeFileSync(file, SCRIPT);
  writeFileSync(`${file}.br`, brotliCompressSync(SCRIPT));
  writeFileSync(`${file}.gz`, gzipSync(SCRIPT));
}

function expectGone({ status, headers, body }: Answer): void {
  expect(headers['content-encoding']).toBeUndefined();
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(headers['cache-control']).toBe('no-store');
  expect({ status, code: (JSON.parse(body.toString()) as { code: string }).code }).toEqual({ status: 404, code: 'route.not-found' });
}

beforeAll(async () => {
  build('index-A1.js');
  writeFileSync(join(root, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'secret.txt.br'), 'secret');
  gateway = await startTestGateway(new MemoryEventLog(), { BULLPEN_WEB: site });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('the dashboard', () => {
  it.each(['/', '/s/00n7rdh3g1k0e1cqeeeg306xqz83', '/s/x?tab=changes', '/no/such/page'])('is one page at %s, for anybody, asked for each time', async (path) => {
    const { status, headers, body } = await ask(path);
    expect([status, headers['content-type'], headers['cache-control'], body.toString()]).toEqual([200, 'text/html; charset=utf-8', 'no-cache', PAGE]);
    expect((await ask(path, { 'if-none-match': String(headers['etag']) })).status).toBe(304);
  });

  it('lets the page run our scripts alone, connect to us alone, and stand in no frame', async () => {
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]));
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' });
    expect(headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
  ])('gives an asset to who accepts %s as the build made it: %s', async (accepted, encoding, unpack) => {
    const { status, headers, body } = await ask('/assets/index-A1.js', { 'accept-encoding': accepted });
    expect([status, headers['content-encoding'], unpack(body).toString()]).toEqual([200, encoding, SCRIPT]);
    expect(headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=31536000, immutable', vary: 'Accept-Encoding' });
  });

  it('answers HEAD as GET, without the body', async () => {
    for (const path of ['/', '/favicon.svg', '/assets/index-A1.js']) {
      const [get, head] = [await ask(path, { 'accept-encoding': 'br' }), await ask(path, { 'accept-encoding': 'br' }, 'HEAD')];
      expect([head.status, head.body.length]).toEqual([200, 0]);
      for (const name of ['content-type', 'content-length', 'content-encoding', 'etag', 'cache-control']) expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
    }
  });

  it.each(['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/assets/%2e%2e%2f%2e%2e%2fsecret.txt', String.raw`/..\secret.txt`, '/%00.js', '/%ff.js', '/.hidden.js'])(
    'gives nothing that lies beside it: %s',
    async (path) => expectGone(await ask(path, { 'accept-encoding': 'br' })),
  );

  it('leaves the API, health and sockets as they are, and takes no other method', async () => {
    expect((await ask('/api/v1/sessions')).status).toBe(401);
    expect((await ask('/api/v1/nothing.js', { authorization: `Bearer ${TOKEN}` })).status).toBe(404);
    expect((await ask('/healthz')).body.toString()).toContain('ok');
    expect((await ask('/', {}, 'POST')).status).toBe(405);
    expect((await ask('/s/x', {}, 'DELETE')).status).toBe(401);
  });

  it('refuses a host that is not ours', async () => {
    expect((await ask('/', { host: 'evil.example' })).status).toBe(421);
  });

  it('serves the next build without a restart, and says that an asset of the last one is gone', async () => {
    build('index-B2.js');
    try {
      expect((await ask('/')).body.toString()).toContain('index-B2.js');
      const { status, headers } = await ask('/assets/index-B2.js', { 'accept-encoding': 'br' });
      expect([status, headers['content-encoding']]).toEqual([200, 'br']);
      expectGone(await ask('/assets/index-A1.js', { 'accept-encoding': 'br' }));
      rmSync(join(site, 'assets', 'index-B2.js.br'));
      expect((await ask('/assets/index-B2.js', { 'accept-encoding': 'br' })).headers['content-encoding']).toBeUndefined();
    } finally {
      build('index-A1.js');
    }
  });

  it('is not served from a folder that holds none', () => {
    expect(() => serveSite(root)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
  });
});
