import { createHmac } from 'node:crypto';

import { SETTING_NAMES, loadSettings, type Settings } from './settings.js';

const MARK_LENGTH = 22;

/** Tells one value from another without telling either: `run.json` holds no secret. */
export type SettingMarks = Readonly<Record<string, string>>;

export function marksOf(settings: Settings, key: string): SettingMarks {
  const given = SETTING_NAMES.flatMap((name) => (settings[name] === undefined ? [] : [[name, markOf(String(settings[name]), key)] as const]));
  return Object.fromEntries(given);
}

/** Variables that are set now, to something else than what runs was started with. */
export function notApplied(environment: NodeJS.ProcessEnv, running: SettingMarks, key: string): string[] {
  const now = marksOf(loadSettings(environment), key);
  return SETTING_NAMES.filter((name) => name !== 'BULLPEN_HOME' && environment[name] && now[name] !== running[name]);
}

function markOf(value: string, key: string): string {
  return createHmac('sha256', key).update(value).digest('base64url').slice(0, MARK_LENGTH);
}
