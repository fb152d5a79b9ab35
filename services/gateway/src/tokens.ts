/** What the module hands out under a name rather than a class. */
export const EVENT_LOG = Symbol('EventLog');
export const OBJECT_STORE = Symbol('ObjectStore');
export const LOGGER = Symbol('Logger');
export const GATEWAY_CONFIG = Symbol('GatewayConfig');
