import { Dialog } from '../../components/dialog.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import { useShortcutsInUse } from '../../lib/use-shortcut.js';
import { groupByScope } from './shortcut-groups.js';

interface HelpDialogProps {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
}

/** Every key that does something on this page, now. */
export function HelpDialog({ isOpen, onOpenChange }: HelpDialogProps) {
  const groups = groupByScope(useShortcutsInUse());
  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      {/* On a phone it scrolls, and holds nothing else that could have the focus. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div tabIndex={0} className="grid gap-6 p-4 -outline-offset-2 md:grid-cols-2">
        {groups.map(({ scope, shortcuts }) => (
          <section key={scope}>
            <h3 className="mb-2 text-label font-medium text-muted">{scope}</h3>
            <dl className="flex flex-col gap-1">
              {shortcuts.map((shortcut) => (
                <div key={shortcut.label} className="flex items-center justify-between gap-4">
                  <dt>{shortcut.label}</dt>
                  <dd>
                    <kbd className="rounded-sm border border-border bg-raised px-1.5 text-label text-text">{describeShortcut(shortcut)}</kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
