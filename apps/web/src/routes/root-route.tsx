import { Outlet } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Toaster } from 'sonner';

import { TooltipProvider } from '../components/tooltip.js';
import { onSignedOut } from '../lib/api.js';
import { readKey } from '../lib/key.js';
import { takeCodeFromAddress } from '../lib/sign-in.js';
import { SignInRoute } from './sign-in-route.js';

const TOOLTIP_DELAY_MS = 400;

/** The list stands beside every page; without a key there is only the way in. */
export function RootRoute() {
  const [code] = useState(takeCodeFromAddress);
  const [isSignedIn, setSignedIn] = useState(() => readKey() !== null && code === null);
  useEffect(() => onSignedOut(() => setSignedIn(false)), []);
  if (!isSignedIn) return <SignInRoute code={code} onSignedIn={() => setSignedIn(true)} />;
  return (
    <TooltipProvider delayDuration={TOOLTIP_DELAY_MS}>
      <div className="flex h-dvh min-w-0">
        <main className="flex min-w-0 flex-1 flex-col">
          <Outlet />
        </main>
      </div>
      <Toaster position="bottom-right" />
    </TooltipProvider>
  );
}
