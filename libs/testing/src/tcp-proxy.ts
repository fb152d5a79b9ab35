import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Ends every connection at once and refuses new ones until `heal`. */
  cut(): void;
  /** From now on the server's answers are lost; what clients send still arrives. Ends with `cut`. */
  mute(): void;
  /** Nothing gets through, and nobody is told: connections stand, and what is sent waits until `heal`. Ends with `cut`. */
  stall(): void;
  heal(): void;
  stop(): Promise<void>;
}

/** Between a client and a server on loopback, to cut them apart. The target's port is asked for with each connection. */
export async function startTcpProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let open = true;
  let muted = false;
  let stalled = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    if (!open) return void client.destroy();
    const upstream = track(connect({ host: '127.0.0.1', port: target.port }));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (bytes: Buffer) => {
      if (!upstream.destroyed && !upstream.write(bytes)) client.pause();
    });
    upstream.on('drain', () => void (stalled || client.resume()));
    client.on('end', () => upstream.end());
    upstream.on('data', (bytes: Buffer) => {
      if (muted || client.destroyed) return;
      if (!client.write(bytes)) upstream.pause();
    });
    client.on('drain', () => void (stalled || upstream.resume()));
    if (stalled) for (const socket of [client, upstream]) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    open = false;
    muted = false;
    stalled = false;
    for (const socket of sockets) socket.destroy();
  };
  const stop = (): Promise<void> => {
    cut();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const stall = (): void => {
    stalled = true;
    for (const socket of sockets) socket.pause();
  };
  const heal = (): void => {
    open = true;
    stalled = false;
    for (const socket of sockets) socket.resume();
  };
  return { port, cut, mute: () => void (muted = true), stall, heal, stop };
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
