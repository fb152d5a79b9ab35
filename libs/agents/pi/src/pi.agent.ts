import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Agent, AgentLaunch, AgentProcess } from '@bullpen/agent-port';
import { Fault } from '@bullpen/errors';

import { preparePiHome, SCRIPTED_PROVIDER } from './pi.home.js';
import type { PiHome } from './pi.home.js';
import { PiProcess } from './pi.process.js';

export interface PiOptions {
  /** Node 22.19 or newer. */
  readonly nodePath: string;
  /** Folder whose `node_modules` holds pi. */
  readonly agentsFolder: string;
}

const CLI = 'node_modules/@earendil-works/pi-coding-agent/dist/bundle/cli.js';

/**
 * pi in RPC mode: one process for many prompts of one conversation, which it keeps under the launch's home.
 * The model key reaches pi by its environment alone; the commands that pi runs do not inherit it.
 */
export function createPiAgent({ nodePath, agentsFolder }: PiOptions): Agent {
  const cli = join(agentsFolder, CLI);
  return {
    name: 'pi',
    start: async (launch: AgentLaunch): Promise<AgentProcess> => {
      await access(cli).catch((cause: unknown) => {
        throw new Fault(
          'agent.missing',
          `pi is not installed: ${cli} cannot be read. Run make setup; the next prompt starts it.`,
          { cause },
        );
      });
      const home = await preparePiHome(launch);
      const child = spawn(nodePath, [cli, ...argumentsOf(launch, home)], {
        cwd: launch.cwd,
        env: environmentOf(launch, home),
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      return PiProcess.begin(child, home.begins);
    },
  };
}

/** Nothing from the repository may change pi itself: instructions (AGENTS.md) are read, extensions and settings are not. */
function argumentsOf(launch: AgentLaunch, home: PiHome): string[] {
  const provider = launch.modelProvider === 'scripted' ? SCRIPTED_PROVIDER : 'anthropic';
  const closed = ['--no-extensions', '--no-skills', '--no-prompt-templates', '--no-themes', '--no-approve'];
  // The folder is named too: else the repository's settings could choose it.
  const session = ['--session', home.conversation, '--session-dir', dirname(home.conversation)];
  return ['--mode', 'rpc', '--provider', provider, '--model', launch.model, ...session, '--offline', ...closed];
}

function environmentOf(launch: AgentLaunch, home: PiHome): Record<string, string> {
  return {
    ...launch.environment,
    ...(launch.apiKey === null ? {} : { ANTHROPIC_API_KEY: launch.apiKey }),
    HOME: launch.home,
    PI_CODING_AGENT_DIR: home.directory,
    PI_OFFLINE: '1',
    PI_TELEMETRY: '0',
    PI_SKIP_VERSION_CHECK: '1',
  };
}
