import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

import { readKey } from './key.js';

/** A connection of its own, not yet opened. Who takes it opens it, and opens it again after a loss. */
export function openSocket(): Socket {
  return io({ autoConnect: false, reconnection: false, forceNew: true, transports: ['websocket'], auth: (send) => send({ token: readKey() ?? '' }) });
}
