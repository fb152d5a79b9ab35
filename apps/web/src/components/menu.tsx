import { Check } from 'lucide-react';
import { DropdownMenu as Primitive } from 'radix-ui';
import { useRef } from 'react';
import type { ReactNode } from 'react';

import { classNames } from '../lib/class-names.js';

export interface MenuAction {
  readonly label: string;
  readonly icon?: ReactNode;
  /** As it is shown: `⌘B`. */
  readonly keys?: string;
  readonly isDangerous?: boolean;
  /** Of several, the one that holds now. */
  readonly isChosen?: boolean;
  readonly onSelect: () => void;
}

export interface MenuProps {
  /** A button; it gets the focus back. */
  readonly trigger: ReactNode;
  /** Groups stand apart by a line. */
  readonly groups: readonly (readonly MenuAction[])[];
}

/** What was chosen is done once the trigger has its focus back: an action may then place it elsewhere. */
export function Menu({ trigger, groups }: MenuProps) {
  const chosen = useRef<MenuAction | null>(null);
  const runChosen = (): void => {
    chosen.current?.onSelect();
    chosen.current = null;
  };
  const choose = (action: MenuAction): void => {
    chosen.current = action;
  };
  return (
    <Primitive.Root>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align="end"
          onCloseAutoFocus={runChosen}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-[200px] rounded-md border border-border bg-surface p-1 shadow-overlay"
        >
          {groups.map((actions, index) => (
            <Primitive.Group key={actions.map(({ label }) => label).join()} className={classNames(index > 0 && 'mt-1 border-t border-border pt-1')}>
              {actions.map((action) => (
                <MenuItem key={action.label} {...action} onSelect={() => choose(action)} />
              ))}
            </Primitive.Group>
          ))}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function MenuItem({ label, icon, keys, isDangerous = false, isChosen, onSelect }: MenuAction) {
  const Item = isChosen === undefined ? Primitive.Item : Primitive.CheckboxItem;
  return (
    <Item
      {...(isChosen === undefined ? {} : { checked: isChosen })}
      onSelect={onSelect}
      className={classNames(
        'flex h-8 cursor-pointer items-center gap-2 rounded-sm px-2 text-ui outline-none data-[highlighted]:bg-raised pointer-coarse:h-11',
        isDangerous ? 'text-error' : 'text-text',
      )}
    >
      {icon}
      <span className="flex-1">{label}</span>
      {keys === undefined ? null : <kbd className="text-label text-faint">{keys}</kbd>}
      {isChosen === true ? <Check size={14} aria-hidden className="text-accent" /> : null}
    </Item>
  );
}
