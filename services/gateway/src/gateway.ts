import type { Server } from 'node:http';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { Fault } from '@bullpen/errors';
import { connectEventLog } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { nestLogger } from '@bullpen/rpc';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { serveApiDocs } from './adapters/rest/api-docs.js';
import { useEdge } from './adapters/rest/edge.js';
import { ProblemFilter } from './adapters/rest/problem.filter.js';
import type { RouteTable } from './adapters/rest/problem.filter.js';
import { answerUnreadable } from './adapters/rest/unreadable.js';
import { SyncIoAdapter } from './adapters/socket/sync-io.adapter.js';
import type { GatewayConfig } from './config.js';
import { GatewayModule } from './gateway.module.js';

/** Longer than clients and load balancers keep an idle connection (60 s, most of them): closing first would meet their next request on its way. */
const KEEP_ALIVE_MS = 65_000;

export interface RunningGateway {
  /** Ends open requests and sockets, then the connection to the log. Repeating it does nothing. */
  close(): Promise<void>;
}

/** @throws Fault `log.unavailable`, `gateway.not-listening` */
export async function startGateway(config: GatewayConfig, logger: Logger): Promise<RunningGateway> {
  const log = await connectEventLog({ url: config.NATS_URL, user: 'gateway', password: config.GATEWAY_NATS_PASSWORD, logger });
  try {
    const app = await serveGateway(config, log, logger);
    logger.info('gateway is listening', { host: config.BULLPEN_HOST, port: config.BULLPEN_PORT });
    let closing: Promise<void> | null = null;
    return { close: () => (closing ??= app.close().finally(() => log.close())) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** The gateway over a log that is connected already. */
export async function serveGateway(config: GatewayConfig, log: EventLog, logger: Logger): Promise<NestExpressApplication> {
  const { BULLPEN_TOKEN: token, BULLPEN_WEB: site, allowedHosts } = config;
  const app = await NestFactory.create<NestExpressApplication>(GatewayModule.create({ config, log, logger }), {
    bodyParser: false,
    logger: nestLogger(logger),
    abortOnError: false,
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.useWebSocketAdapter(new SyncIoAdapter(app, { token, allowedHosts }));
  useEdge(app, { token, allowedHosts, site });
  app.useGlobalFilters(new ProblemFilter(app.getHttpAdapter().getInstance() as unknown as RouteTable, withoutRepeats(logger)));
  serveApiDocs(app);
  const server = app.getHttpServer() as Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  answerUnreadable(server);
  try {
    await app.listen(config.BULLPEN_PORT, config.BULLPEN_HOST);
    return app;
  } catch (cause) {
    await app.close();
    const where = `${config.BULLPEN_HOST}:${config.BULLPEN_PORT}`;
    throw new Fault('gateway.not-listening', `Cannot listen on ${where}. Is the port taken? Set BULLPEN_PORT to another.`, {
      cause,
    });
  }
}
