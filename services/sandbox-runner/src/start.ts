import { readFile } from 'node:fs/promises';

import { createPiAgent } from '@bullpen/agent-pi';
import type { Agent } from '@bullpen/agent-port';
import { MODEL_KEY_VARIABLE, RUNNER_SPEC_VARIABLE, runnerSpecSchema } from '@bullpen/contracts';
import type { RunnerSpec } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import { createRunnerLog } from './adapters/runner-log.js';
import { Redactor } from './core/redactor.js';
import { Runner } from './runner.js';

/** Folder whose `node_modules` holds the agent CLIs. */
export const AGENTS_VARIABLE = 'BULLPEN_AGENTS';

/**
 * A runner as the environment describes it. Secrets are taken out of `environment`, so that no child inherits them by accident.
 *
 * @throws Rejection `config.invalid`
 */
export async function createRunner(environment: NodeJS.ProcessEnv): Promise<Runner> {
  const modelKey = environment[MODEL_KEY_VARIABLE] || null;
  delete environment[MODEL_KEY_VARIABLE];
  const spec = await readSpec(environment[RUNNER_SPEC_VARIABLE]);
  const redactor = new Redactor([spec.token, ...(modelKey === null ? [] : [modelKey])]);
  const { sessionId, sandboxId, generation } = spec;
  const log = createRunnerLog(redactor, { sessionId, sandboxId, generation });
  const agent = agentOf(spec, environment[AGENTS_VARIABLE]);
  return Runner.create({ spec, modelKey, agent, environment: passedOn(environment), redactor, log });
}

/** All that an agent inherits: where programs are, and how the network is reached. */
const PASSED_ON = ['PATH', 'TZ', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

function passedOn(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(PASSED_ON.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
}

async function readSpec(path: string | undefined): Promise<RunnerSpec> {
  if (!path) throw new Rejection('config.invalid', `Cannot start: set ${RUNNER_SPEC_VARIABLE} to the path of the runner's spec.`);
  const parsed = runnerSpecSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Rejection('config.invalid', `Cannot start: the spec ${path} is not valid: ${problems.join('; ')}.`);
}

function agentOf({ agent }: RunnerSpec, agentsFolder: string | undefined): Agent {
  if (!agentsFolder)
    throw new Rejection(
      'config.invalid',
      `Cannot start: set ${AGENTS_VARIABLE} to the folder whose node_modules holds the agents.`,
    );
  if (agent.name === 'pi') return createPiAgent({ nodePath: process.execPath, agentsFolder });
  throw new Rejection('config.invalid', `Cannot start: there is no agent ${agent.name}. Agents: pi.`);
}
