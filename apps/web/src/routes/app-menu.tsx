import { Keyboard, LogOut, Monitor, Moon, Search, Settings, Sun } from 'lucide-react';
import { useSyncExternalStore } from 'react';

import { IconButton } from '../components/icon-button.js';
import { Menu } from '../components/menu.js';
import type { MenuAction } from '../components/menu.js';
import { signOut } from '../lib/api.js';
import { describeShortcut } from '../lib/shortcuts.js';
import type { Shortcut } from '../lib/shortcuts.js';
import { readTheme, setTheme, subscribeTheme } from '../lib/theme.js';

export const PALETTE: Shortcut = { key: 'k', mod: true, scope: 'Everywhere', label: 'Find a session or an action' };
export const HELP: Shortcut = { key: '?', scope: 'Everywhere', label: 'Keyboard shortcuts' };

interface AppMenuProps {
  readonly onFind: () => void;
  readonly onHelp: () => void;
}

/** What belongs to the dashboard as a whole. */
export function AppMenu({ onFind, onHelp }: AppMenuProps) {
  const theme = useSyncExternalStore(subscribeTheme, readTheme);
  const themes = THEME_ACTIONS.map((action) => ({ ...action, isChosen: action.theme === theme }));
  const help: MenuAction = { label: 'Keyboard shortcuts', icon: <Keyboard size={14} aria-hidden />, keys: describeShortcut(HELP), onSelect: onHelp };
  const find: MenuAction = { label: 'Find…', icon: <Search size={14} aria-hidden />, keys: describeShortcut(PALETTE), onSelect: onFind };
  return (
    <Menu
      groups={[themes, [find, help], [SIGN_OUT]]}
      trigger={
        <IconButton label="Appearance and help">
          <Settings size={16} aria-hidden />
        </IconButton>
      }
    />
  );
}

export const THEME_ACTIONS = [
  { theme: 'light', label: 'Light theme', icon: <Sun size={14} aria-hidden />, onSelect: () => setTheme('light') },
  { theme: 'dark', label: 'Dark theme', icon: <Moon size={14} aria-hidden />, onSelect: () => setTheme('dark') },
  { theme: 'system', label: 'Theme of the system', icon: <Monitor size={14} aria-hidden />, onSelect: () => setTheme('system') },
] as const satisfies readonly (MenuAction & { readonly theme: string })[];

export const SIGN_OUT: MenuAction = { label: 'Sign out of this browser', icon: <LogOut size={14} aria-hidden />, onSelect: signOut };
