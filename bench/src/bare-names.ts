/** Beside the event log, on the same server and disk. */
export const BARE_STREAM_NAME = 'BENCH';
export const BARE_SUBJECT = 'bench.events';
