import { startRpcServer } from '@bullpen/rpc';
import type { RpcServer } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import type { SessionConfig } from './config.js';
import { createSessionModule } from './session.module.js';

/** Serves once the log is connected; Postgres may come later. */
export function startSession(config: SessionConfig, logger: Logger): Promise<RpcServer> {
  return startRpcServer({
    module: createSessionModule(config, logger),
    package: 'bullpen.session.v1',
    port: config.SESSION_GRPC_PORT,
    key: config.BULLPEN_RPC_KEY,
    logger,
  });
}
