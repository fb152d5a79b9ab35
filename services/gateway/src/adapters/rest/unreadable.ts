import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Rejection } from '@bullpen/errors';

import { problems } from '../metrics.js';
import { problemOf } from './problem.js';

/** What never becomes a request is refused with problem details too. An expectation that is not known is passed over, as HTTP allows. */
export function answerUnreadable(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
    socket.end(answerTo(error.code), () => socket.destroy());
  });
}

function answerTo(code: string | undefined): string {
  const { problem } = problemOf(rejectionOf(code));
  problems.add({ via: 'rest', code: problem.code });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function rejectionOf(code: string | undefined): Rejection {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Rejection('request.headers-too-large', 'The headers are larger than 16 KiB together. Send fewer, or shorter ones.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Rejection('request.timeout', 'The request did not come whole in time. Send it again.');
  }
  return new Rejection('request.malformed', 'What came is not HTTP/1.1. Check the client, or what stands between it and here.');
}
