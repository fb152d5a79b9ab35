import { QUICK_SECONDS, counter, gauge, histogram } from '@bullpen/telemetry';

/** Routes are patterns of the code; there are about forty. */
const MAX_ROUTES = 100;
const MAX_CODES = 200;

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const;

export const requestSeconds = histogram(
  {
    name: 'bullpen_http_request_seconds',
    help: 'From a request to the end of its answer, by the pattern of the route; none: no route took it.',
    labels: { route: { atMost: MAX_ROUTES }, method: METHODS, status: STATUS_CLASSES },
  },
  QUICK_SECONDS,
);

export const problems = counter({
  name: 'bullpen_problems_total',
  help: 'Errors that a client was told, by their code.',
  labels: { via: ['rest', 'socket'], code: { atMost: MAX_CODES } },
});

// So that the first bug is an increase, too.
problems.add({ via: 'rest', code: 'internal' }, 0);
problems.add({ via: 'socket', code: 'internal' }, 0);

export const deliverySeconds = histogram(
  {
    name: 'bullpen_delivery_seconds',
    help: 'From the time of an event, set just before it is appended, to its hand-over to a socket: the oldest event of each live batch.',
    labels: {},
  },
  QUICK_SECONDS,
);

export const laggedSubscriptions = counter({
  name: 'bullpen_subscriptions_lagged_total',
  help: 'Subscriptions that were ended because their socket took the events too slowly.',
  labels: {},
});

export const connectedSockets = gauge({ name: 'bullpen_sockets', help: 'Sockets that are connected.' });
export const laggingSockets = gauge({ name: 'bullpen_sockets_lagging', help: 'Sockets that have more unsent than a live subscription may.' });
export const liveSubscriptions = gauge({ name: 'bullpen_subscriptions', help: 'Sessions that sockets are subscribed to, each time they are.' });
