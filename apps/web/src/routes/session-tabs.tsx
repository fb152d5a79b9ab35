import { Tabs } from 'radix-ui';
import type { ReactNode } from 'react';

import { useSessionState } from '../lib/session-context.js';

export function SessionTabs() {
  const filesChanged = useSessionState((state) => state.filesTotal);
  return (
    <Tabs.List aria-label="Views of the session" className="flex gap-1">
      <Tab value="chat">Chat</Tab>
      <Tab value="changes">
        Changes
        {filesChanged === 0 ? null : <span className="text-label text-muted">{filesChanged}</span>}
      </Tab>
    </Tabs.List>
  );
}

function Tab({ value, children }: { readonly value: string; readonly children: ReactNode }) {
  return (
    <Tabs.Trigger
      value={value}
      className="flex h-8 cursor-pointer items-center justify-center gap-1.5 rounded-sm px-3 font-medium text-muted transition-colors hover:bg-raised hover:text-text data-[state=active]:bg-raised data-[state=active]:text-text pointer-coarse:h-11"
    >
      {children}
    </Tabs.Trigger>
  );
}
