import type { Socket } from 'socket.io';

import type { ClientToServer, ServerToClient } from '@bullpen/sync-protocol';

export type SyncSocket = Socket<ClientToServer, ServerToClient>;

/** What one socket still has to send: packets that wait in Engine.IO, and bytes that wait in its WebSocket. */
export class SocketOutlet {
  #waiting = 0;

  constructor(private readonly socket: SyncSocket) {
    // Engine.IO says so when it has handed every packet to the WebSocket.
    socket.conn.on('drain', () => (this.#waiting = 0));
  }

  get unsentBytes(): number {
    const { socket } = this.socket.conn.transport as { socket?: { bufferedAmount?: number } };
    return this.#waiting + (socket?.bufferedAmount ?? 0);
  }

  /** `size`: about how many bytes the message has. */
  emit<Name extends keyof ServerToClient>(size: number, name: Name, ...values: Parameters<ServerToClient[Name]>): void {
    this.#waiting += size;
    this.socket.emit(name, ...values);
  }
}
