import { Circle, CircleCheck, CircleDot } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';

import type { PlanEntry } from '@bullpen/contracts';

import { classNames } from '../../lib/class-names.js';
import { useSessionState } from '../../lib/session-context.js';
import { Nothing, Section } from './section.js';

const LOOKS: Readonly<Record<PlanEntry['status'], { readonly word: string; readonly icon: LucideIcon; readonly colour: string }>> = {
  pending: { word: 'To do', icon: Circle, colour: 'text-faint' },
  active: { word: 'Doing', icon: CircleDot, colour: 'text-info' },
  done: { word: 'Done', icon: CircleCheck, colour: 'text-ok' },
};

export function PlanSection() {
  const plan = useSessionState((state) => state.plan);
  if (plan.length === 0) {
    return (
      <Section title="Plan">
        <Nothing>The agent wrote no plan.</Nothing>
      </Section>
    );
  }
  const done = plan.filter(({ status }) => status === 'done').length;
  return (
    <Section title="Plan" note={`${done}/${plan.length}`}>
      <ol className="flex flex-col gap-1.5">
        {plan.map((entry, index) => (
          // Entries have no names; the plan comes whole each time.
          <Entry key={`${index}/${entry.text}`} {...entry} />
        ))}
      </ol>
    </Section>
  );
}

function Entry({ text, status }: PlanEntry) {
  const { word, icon: Icon, colour } = LOOKS[status];
  return (
    <li className="flex gap-2">
      <Icon size={14} aria-hidden className={classNames('mt-[3px] shrink-0', colour)} />
      <span className="sr-only">{word}: </span>
      <span className={classNames('min-w-0 break-words', status === 'done' && 'text-muted', status === 'active' && 'font-medium')}>{text}</span>
    </li>
  );
}
