import { FlaskConical, ShieldOff } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';

import { SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { AgentPicker } from './agent-picker.js';
import { useAgents } from './agents-query.js';
import { BranchField } from './branch-field.js';
import { setDraft, useDraft } from './drafts.js';
import { useHomeChoices } from './home-choices.js';
import type { HomeChoices } from './home-choices.js';
import { PendingSession } from './pending-session.js';
import { PromptField, SEND } from './prompt-field.js';
import { promptProblem } from './prompt-size.js';
import { useRepositories } from './repositories-query.js';
import type { Repository } from './repositories-query.js';
import { RepositoryPicker } from './repository-picker.js';
import { fieldOf } from './start-problem.js';
import type { StartField } from './start-problem.js';
import { useStartSession } from './start-session.js';

const HAS_MOUSE = matchMedia('(pointer: fine)');

export interface HomeComposerProps {
  readonly onCreated: (sessionId: string) => void;
}

/** Says what to build, where and by whom; then shows the session while the platform makes it. */
export function HomeComposer({ onCreated }: HomeComposerProps) {
  const start = useStartSession((sessionId) => {
    setDraft('home', '');
    onCreated(sessionId);
  });
  useEffect(() => {
    // Prompts that an earlier page left unsent go out from here too.
    void import('./outbox-browser.js');
  }, []);
  const isMendable = start.isError && fieldOf(start.error) !== null;
  const { variables } = start;
  if (variables !== undefined && !isMendable) {
    return <PendingSession prompt={variables.prompt} error={start.error} onRetry={() => start.mutate(variables)} onEdit={start.reset} />;
  }
  return <StartForm error={start.error} onStart={start.mutate} />;
}

interface StartFormProps {
  /** Why the platform did not take the last attempt. */
  readonly error: unknown;
  readonly onStart: ReturnType<typeof useStartSession>['mutate'];
}

function StartForm({ error, onStart }: StartFormProps) {
  const { text, choices, repository, problem, change, start } = useStartForm(error, onStart);
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const errorId = useId();
  useShortcut(SEND, () => (form.current?.contains(document.activeElement) === true ? start() : false));
  useEffect(() => {
    // A field with a problem has taken the focus already; with a finger it would open the keyboard over half the page.
    if (HAS_MOUSE.matches && form.current?.contains(document.activeElement) !== true) field.current?.focus();
  }, []);
  useEffect(() => {
    if (problem?.field === 'prompt') field.current?.focus();
  }, [problem]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    start();
  };
  return (
    <form ref={form} onSubmit={submit} className="mx-auto flex w-full max-w-[760px] flex-col gap-4 px-4 pt-[12dvh] pb-8 max-md:pt-8">
      <h1 className="text-center text-display font-semibold">What should we build?</h1>
      <PromptField
        ref={field}
        label="What should we build?"
        placeholder="Describe a task…"
        text={text}
        minHeight="roomy"
        problem={problem?.field === 'prompt' ? problem.message : null}
        onChange={(next) => change({}, next)}
      >
        <Choices choices={choices} repository={repository} problem={problem} errorId={errorId} onChange={change} />
        <Button kind="primary" type="submit" className="ml-auto">
          Start
          <kbd className="text-label pointer-coarse:hidden">{describeShortcut(SEND)}</kbd>
        </Button>
      </PromptField>
      {problem === null || problem.field === 'prompt' ? null : (
        <p id={errorId} role="alert" className="px-4 text-error">
          {problem.message}
        </p>
      )}
      <Notices />
    </form>
  );
}

function useStartForm(error: unknown, onStart: StartFormProps['onStart']) {
  const text = useDraft('home');
  const [choices, choose] = useHomeChoices();
  const { repository, isUnknown } = useChosenRepository(choices);
  const [problem, setProblem] = useState(() => problemOf(error));
  const change = (next: Partial<HomeChoices>, nextText = text): void => {
    choose(next);
    setDraft('home', nextText);
    setProblem(null);
  };
  const start = (): void => {
    const found = findProblem(text, repository, isUnknown);
    setProblem(found);
    if (found !== null || repository === null) return;
    const { branch, agent, model } = choices;
    onStart({ repository: repository.id, prompt: text, ...given({ branch: branch.trim(), agent, model }) });
  };
  return { text, choices, repository, problem, change, start };
}

interface ChoicesProps {
  readonly choices: HomeChoices;
  readonly repository: Repository | null;
  readonly problem: Problem | null;
  /** Of the element that explains the problem. */
  readonly errorId: string;
  readonly onChange: (change: Partial<HomeChoices>) => void;
}

function Choices({ choices, repository, problem, errorId, onChange }: ChoicesProps) {
  const isBranchWrong = problem?.field === 'branch';
  return (
    <>
      <RepositoryPicker
        chosen={repository}
        isInvalid={problem?.field === 'repository'}
        onChoose={({ id }) => onChange({ repositoryId: id, ...(id === repository?.id ? {} : { branch: '' }) })}
      />
      <BranchField
        branch={choices.branch}
        defaultBranch={repository?.defaultBranch ?? ''}
        isInvalid={isBranchWrong}
        describedBy={isBranchWrong ? errorId : undefined}
        onChange={(branch) => onChange({ branch })}
      />
      <ChosenAgent choices={choices} onChoose={onChange} />
    </>
  );
}

interface Problem {
  readonly field: StartField;
  readonly message: string;
}

function problemOf(error: unknown): Problem | null {
  const field = fieldOf(error);
  return field === null ? null : { field, message: explain(error) };
}

function findProblem(text: string, repository: Repository | null, isUnknown: boolean): Problem | null {
  const message = promptProblem(text);
  if (message !== null) return { field: 'prompt', message };
  if (repository !== null) return null;
  return { field: 'repository', message: isUnknown ? 'The repositories are still being listed. Try again in a moment.' : 'Choose a repository to work on.' };
}

/** Only what was chosen: the platform has defaults for the rest. */
function given<Choice extends string>(choices: Readonly<Record<Choice, string>>): Partial<Record<Choice, string>> {
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== '')) as Partial<Record<Choice, string>>;
}

/** The one chosen last, else the one used last. */
function useChosenRepository({ repositoryId }: HomeChoices): { readonly repository: Repository | null; readonly isUnknown: boolean } {
  const { data: repositories, isPending } = useRepositories();
  const repository = repositories?.find(({ id }) => id === repositoryId) ?? repositories?.[0] ?? null;
  return { repository, isUnknown: isPending };
}

function ChosenAgent({ choices, onChoose }: { readonly choices: HomeChoices; readonly onChoose: (change: Partial<HomeChoices>) => void }) {
  const { data } = useAgents();
  const agents = data?.agents ?? [];
  const chosen = agents.find(({ agent, model }) => agent === choices.agent && model === choices.model) ?? agents[0];
  if (chosen === undefined) return null;
  return <AgentPicker agents={agents} chosen={chosen} onChoose={({ agent, model }) => onChoose({ agent, model })} />;
}

/** What a person must know before they start. */
function Notices() {
  const { data } = useAgents();
  const isScripted = data?.agents.some(({ provider }) => provider === 'scripted') ?? false;
  const warning = data?.sandbox?.warning ?? null;
  return (
    <>
      {isScripted ? (
        <Notice icon={FlaskConical}>
          {SCRIPTED_MODEL_NOTICE}. It follows lines such as <code className="text-text">write hello.txt: hi</code> and{' '}
          <code className="text-text">run: git status</code>. For real work, start Bullpen with <code className="text-text">ANTHROPIC_API_KEY</code>.
        </Notice>
      ) : null}
      {warning === null ? null : <Notice icon={ShieldOff}>{warning}</Notice>}
    </>
  );
}

function Notice({ icon: Icon, children }: { readonly icon: LucideIcon; readonly children: ReactNode }) {
  return (
    <p className="flex items-start gap-2 px-4 text-muted">
      <Icon size={14} aria-hidden className="mt-[3px] shrink-0" />
      <span>{children}</span>
    </p>
  );
}
