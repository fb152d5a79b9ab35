import type { IncomingMessage } from 'node:http';

import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';

import { tokensEqual } from '@bullpen/auth';
import { PING_INTERVAL_MS, PING_TIMEOUT_MS } from '@bullpen/sync-protocol';

import { isKnownHost, isKnownOrigin } from '../../core/hosts.js';

type IoServer = ReturnType<IoAdapter['createIOServer']>;
type IoOptions = Parameters<IoAdapter['createIOServer']>[1];

/** Requests are small: an id, a position, a few names. */
const MAX_CLIENT_MESSAGE_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** Envelopes repeat: with the window kept between messages a streamed reply needs a fifth of the bytes. Memory for each socket is kept small. */
const COMPRESSION = { threshold: 256, serverMaxWindowBits: 13, zlibDeflateOptions: { level: 3, memLevel: 6 } };

export interface SyncIoOptions {
  readonly token: string;
  readonly allowedHosts: readonly string[];
}

/** Socket.IO as the protocol fixes it: websocket only, known hosts and origins only, a token before anything else. */
export class SyncIoAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly options: SyncIoOptions,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: object): IoServer {
    const server = super.createIOServer(port, {
      ...options,
      transports: ['websocket'],
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxHttpBufferSize: MAX_CLIENT_MESSAGE_BYTES,
      perMessageDeflate: COMPRESSION,
      serveClient: false,
      allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
        const refused = this.#refusal(request);
        decide(refused, refused === null);
      },
    } as IoOptions);
    server.use((socket, next) => {
      const token: unknown = socket.handshake.auth['token'];
      if (typeof token === 'string' && tokensEqual(token, this.options.token)) return next();
      const message = 'This connection carries no valid token. Pass auth: {token}, as the start-up of the platform printed it.';
      next(Object.assign(new Error(message), { data: { code: 'auth.invalid', message, details: {} } }));
    });
    return server;
  }

  #refusal({ headers, socket }: IncomingMessage): string | null {
    const port = socket.localPort ?? 0;
    if (!isKnownHost(headers.host, port, this.options.allowedHosts)) return 'host.unknown';
    return isKnownOrigin(headers.origin, port, this.options.allowedHosts) ? null : 'origin.foreign';
  }
}
