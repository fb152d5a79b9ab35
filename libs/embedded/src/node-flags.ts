/**
 * How Node runs a service. Young objects get at most three times 8 MB: while modules are loaded V8 lets that space grow above 100 MB, and gives
 * nothing of it back to a process that then mostly waits.
 */
export const SERVICE_NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=8'] as const;
