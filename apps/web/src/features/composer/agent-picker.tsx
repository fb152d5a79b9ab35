import { Bot, Check } from 'lucide-react';

import { Menu } from '../../components/menu.js';
import { PickerButton } from './picker-button.js';
import type { Agent } from './agents-query.js';

export interface AgentPickerProps {
  readonly agents: readonly Agent[];
  readonly chosen: Agent;
  readonly onChoose: (agent: Agent) => void;
}

/** Agent and model; where there is nothing to choose, only their names. */
export function AgentPicker({ agents, chosen, onChoose }: AgentPickerProps) {
  const icon = <Bot size={14} aria-hidden className="shrink-0 text-muted" />;
  if (agents.length < 2) {
    return (
      <span className="inline-flex h-8 min-w-0 items-center gap-1.5 px-1 text-ui text-muted">
        {icon}
        <span className="sr-only">Agent and model: </span>
        <span className="min-w-0 truncate">{describeAgent(chosen)}</span>
      </span>
    );
  }
  const actions = agents.map((agent) => ({
    label: describeAgent(agent),
    icon: <Check size={14} aria-hidden className={agent === chosen ? '' : 'invisible'} />,
    onSelect: () => onChoose(agent),
  }));
  return (
    <Menu
      groups={[actions]}
      trigger={
        <PickerButton label="Agent and model" icon={icon}>
          {describeAgent(chosen)}
        </PickerButton>
      }
    />
  );
}

function describeAgent({ agent, model }: Agent): string {
  return `${agent} · ${model}`;
}
