import { REPOSITORY_LANES, SESSION_LANES } from '@bullpen/contracts';
import { QUICK_SECONDS, counter, histogram } from '@bullpen/telemetry';

const lane = [...new Set([...SESSION_LANES, ...REPOSITORY_LANES])];

export const appendSeconds = histogram(
  { name: 'bullpen_log_append_seconds', help: 'From an append to the answer whether it is in the log.', labels: { lane } },
  QUICK_SECONDS,
);

export const appends = counter({
  name: 'bullpen_log_appends_total',
  help: 'Appends by what became of them; unclear: not known when the time was over.',
  labels: { lane, outcome: ['done', 'conflict', 'unclear', 'failed'] },
});

export const unclearAcknowledgements = counter({
  name: 'bullpen_log_unclear_acknowledgements_total',
  help: 'Appends sent whose acknowledgement did not say whether they are in the log; the end of the lane then did.',
  labels: {},
});
