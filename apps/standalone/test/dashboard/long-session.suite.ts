import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { writeLongSession } from '../long-session.harness.js';
import { timelineOf } from './stage.js';
import type { Stage } from './stage.js';

const EVENTS = 50_000;
const MAX_NODES = 1_500;
const LAST_STEP = 'Step 48';

/** Goal: a session of any length costs the page no more than a short one. */
export function longSession(stage: Stage): void {
  describe(`a session of ${EVENTS} events`, () => {
    it('opens at its end, leads to its beginning, and never fills the page', async () => {
      const { platform, browser } = stage;
      const id = await writeLongSession(platform, EVENTS);
      const page = await browser.open(platform, `/s/${id}`);
      const timeline = timelineOf(page);
      await timeline.getByText(LAST_STEP).first().waitFor();
      await expectFewNodes(page);
      await timeline.hover();
      for (let turns = 0; turns < 20; turns += 1) await page.mouse.wheel(0, -4_000);
      await expectFewNodes(page);
      await page.getByRole('button', { name: 'Load earlier' }).click();
      await page.keyboard.press('Home');
      await timeline.getByText('Task 1:').first().waitFor();
      await expectFewNodes(page);
      await page.keyboard.press('End');
      await timeline.getByText(LAST_STEP).first().waitFor();
      await expectFewNodes(page);
      expect(browser.takeComplaints()).toEqual([]);
    }, 120_000);
  });

  describe('a row that is finished', () => {
    it('is not drawn again while another turn streams', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession('say: first\nread README.md\nrun: seq 5');
      await stage.settled(id);
      const page = await browser.open(platform, `/s/${id}`);
      await timelineOf(page).waitFor();
      await page.addInitScript('window.bullpenRowRenders = new Map()');
      await page.reload();
      await timelineOf(page).getByText('Checkpoint').or(timelineOf(page).getByText('Done: 2 steps.')).first().waitFor();
      const before = await rowRenders(page);
      expect(before.length).toBeGreaterThan(3);
      await platform.api('POST', `/sessions/${id}/prompts`, { text: 'slow: 30' });
      await timelineOf(page).getByText('word30').last().waitFor();
      await stage.settled(id);
      const after = new Map(await rowRenders(page));
      expect(before.map(([key]) => [key, after.get(key)])).toEqual(before);
      expect(Math.max(...after.values())).toBeGreaterThan(Math.max(...before.map(([, count]) => count)));
    }, 60_000);
  });
}

/** How often each row was drawn, by its key. */
function rowRenders(page: Page): Promise<[string, number][]> {
  return page.evaluate('[...window.bullpenRowRenders]');
}

async function expectFewNodes(page: Page): Promise<void> {
  expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(MAX_NODES);
}
