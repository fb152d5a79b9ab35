import { fileURLToPath } from 'node:url';

/** The folder that holds `libs/`: this file lies three below it, as source and as build output alike. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
