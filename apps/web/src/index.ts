/** Nothing imports the dashboard: the gateway serves what `vite build` made of it. */
export {};
