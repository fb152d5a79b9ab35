import './styles/index.css';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { ApiError } from './lib/api.js';
import { router } from './routes/router.js';

const MAX_RETRIES = 3;

const queries = new QueryClient({
  defaultOptions: { queries: { retry: (failures, error) => failures < MAX_RETRIES && error instanceof ApiError && error.isUnclear, staleTime: 10_000 } },
});

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no element #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
