import { Select } from '../../components/select.js';
import { useTurnScopes } from './use-turn-scopes.js';

interface ScopeSelectProps {
  readonly turnId: string | undefined;
  readonly onSelect: (turnId: string | undefined) => void;
}

/** Whose changes: of the whole session, or of one turn. */
export function ScopeSelect({ turnId, onSelect }: ScopeSelectProps) {
  const turns = useTurnScopes();
  const isListed = turnId === undefined || turns.some((turn) => turn.turnId === turnId);
  return (
    <Select
      aria-label="Changes of"
      className="w-56 max-w-full"
      value={turnId ?? ''}
      onChange={({ target }) => onSelect(target.value === '' ? undefined : target.value)}
    >
      <option value="">Whole session</option>
      {isListed ? null : <option value={turnId}>One turn</option>}
      <optgroup label="One turn, latest first">
        {turns.map(({ turnId: id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </optgroup>
    </Select>
  );
}
