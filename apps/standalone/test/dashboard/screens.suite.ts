import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { THEMES, axeViolations, keepPicture } from '../browser.harness.js';
import type { Theme } from '../browser.harness.js';
import { headerOf, HOME, timelineOf } from './stage.js';
import type { Stage } from './stage.js';

const SIZES = [
  { width: 360, height: 740 },
  { width: 768, height: 1_024 },
  { width: 1_280, height: 800 },
  { width: 1_920, height: 1_080 },
] as const;
/** Both layouts in one theme; nothing but colours differs in the other, and axe takes a second or two for each page. */
const AXE = { light: { widths: [360, 1_280], rules: undefined }, dark: { widths: [1_280], rules: ['color-contrast'] } };
const RICH = [
  'say: I look at the counter first, then I make it faster and prove it with a test that counts words in a long file.',
  'read README.md',
  'read package.json',
  String.raw`run: printf '\033[32mok\033[0m 12 tests\n\033[31mfailed\033[0m 1 test\n'; seq 30`,
  'write src/words.ts: export const words = (text: string): number => text.split(" ").length;',
  'write notes/a-name-that-is-longer-than-any-pane-is-wide-and-goes-on-and-on-until-it-must-be-cut.md: long',
  'run: exit 3',
].join('\n');
const EXPECTED = /status of 40[14]/;

interface Screen {
  readonly name: string;
  /** Signed in at its place, until what it shows is there. */
  readonly show: (page: Page, stage: Stage, made: Made) => Promise<void>;
}

interface Made {
  readonly done: string;
  readonly failed: string;
  readonly running: string;
  readonly archived: string;
}

const at = async (page: Page, stage: Stage, path: string): Promise<void> => void (await page.goto(`${stage.platform.url}${path}`));
const shownAt = (id: keyof Made, status: string, search = '') => async (page: Page, stage: Stage, made: Made): Promise<void> => {
  await at(page, stage, `/s/${made[id]}${search}`);
  await headerOf(page).getByText(status).first().waitFor();
};

const SCREENS: readonly Screen[] = [
  { name: 'home', show: async (page, stage) => { await at(page, stage, '/'); await page.getByRole('heading', HOME).waitFor(); } },
  { name: 'session-ready', show: shownAt('done', 'Ready') },
  { name: 'session-running', show: shownAt('running', 'Running') },
  { name: 'session-failed', show: shownAt('failed', 'Failed') },
  { name: 'session-archived', show: shownAt('archived', 'Archived') },
  { name: 'changes', show: async (page, stage, made) => { await shownAt('done', 'Ready', '?tab=changes')(page, stage, made); await page.getByRole('article').first().waitFor(); } },
  { name: 'changes-empty', show: async (page, stage, made) => { await shownAt('failed', 'Failed', '?tab=changes')(page, stage, made); await page.getByText('No changes yet').waitFor(); } },
  { name: 'not-found', show: async (page, stage) => { await at(page, stage, '/s/00n7rdh3g1k0e1cqeeeg306xqz83'); await page.getByText('There is no such session').waitFor(); } },
  { name: 'palette', show: async (page, stage) => { await at(page, stage, '/'); await page.getByRole('heading', HOME).waitFor(); await page.keyboard.press('ControlOrMeta+k'); await page.getByRole('dialog').waitFor(); } },
  { name: 'help', show: async (page, stage, made) => { await shownAt('done', 'Ready')(page, stage, made); await page.keyboard.press('?'); await page.getByRole('dialog').waitFor(); } },
];

/** Goal: every screen is readable, for machines too, at every width and in both themes. Pictures are kept for people to look at. */
export function screens(stage: Stage): void {
  describe('every screen', () => {
    it.each(THEMES)('in the %s theme holds what axe checks', async (theme) => {
      const made = await makeSessions(stage);
      const page = await stage.browser.open(stage.platform, '/', { theme });
      await page.getByRole('heading', HOME).waitFor();
      const problems: string[] = [];
      for (const { name, show } of SCREENS) {
        await show(page, stage, made);
        problems.push(...(await picturesOf(page, name, theme)));
      }
      const stranger = await (await stage.browser.newPerson({ theme })).newPage();
      await stranger.goto(stage.platform.url);
      await stranger.getByRole('heading', { name: 'Sign in to Bullpen' }).waitFor();
      problems.push(...(await picturesOf(stranger, 'sign-in', theme)));
      await stage.platform.api('POST', `/sessions/${made.running}/cancel`);
      expect(problems).toEqual([]);
      expect(stage.browser.takeComplaints(EXPECTED)).toEqual([]);
    }, 180_000);
  });
}

async function picturesOf(page: Page, name: string, theme: Theme): Promise<string[]> {
  const { widths, rules } = AXE[theme];
  const problems: string[] = [];
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await page.locator('.animate-pulse').first().waitFor({ state: 'detached' });
    await keepPicture(page, `${name}-${theme}-${size.width}`);
    if (!widths.includes(size.width)) continue;
    problems.push(...(await axeViolations(page, rules)).map((problem) => `${name} ${size.width}: ${problem}`));
  }
  return problems;
}

async function makeSessions(stage: Stage): Promise<Made> {
  const { platform } = stage;
  const [done, failed, running, archived] = await Promise.all([
    platform.createSession(RICH),
    platform.createSession('error: 400', { title: 'Fix the refresh of tokens that expire while a long request is on its way, on all platforms that we ship for' }),
    platform.createSession('read README.md\nslow: 2000'),
    platform.createSession('say: put away'),
  ]);
  await Promise.all([done, failed, archived].map((id) => stage.settled(id)));
  await platform.api('POST', `/sessions/${archived}/archive`);
  const watched = await stage.browser.open(platform, `/s/${running}`);
  await timelineOf(watched).getByText('word3 ').waitFor();
  await platform.api('POST', `/sessions/${running}/prompts`, { text: 'and then update the documentation' });
  return { done, failed, running, archived };
}
