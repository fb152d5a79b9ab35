import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { printedLink } from '../browser.harness.js';
import { headerOf, readTimeline, sessionIdOf, startByForm, timelineOf } from './stage.js';
import type { Stage } from './stage.js';

const WORDS = 60;
const PROMPT = `write hello.txt: hi\nrun: git status --short\nslow: ${WORDS}`;
const EVERY_WORD = Array.from({ length: WORDS }, (_, n) => `word${n + 1}`).join(' ');
const BROKEN_LINE = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|ERR_SOCKET|status of 50[23]/;
const ATTEMPTS_MS = 30_000;

/** Goal: one prompt from the printed link to its diff, as a person does it, whatever happens to the page or the platform meanwhile. */
export function firstPrompt(stage: Stage): void {
  describe('a first prompt', () => {
    it('streams in, shows its files and diff, survives a reload in mid-stream, and is the same in a second browser', async () => {
      const { platform, browser } = stage;
      const page = await (await browser.newPerson()).newPage();
      await page.goto(printedLink(platform));
      const id = await startByForm(page, PROMPT);
      await timelineOf(page).getByText('word5 ').first().waitFor();
      const second = await browser.open(platform, `/s/${id}`);
      await timelineOf(second).getByText('word5 ').first().waitFor();
      const before = await readTimeline(page);
      await page.reload();
      await timelineOf(page).getByText('word5 ').first().waitFor();
      expect(wordsIn(await readTimeline(page))).toBeGreaterThanOrEqual(wordsIn(before));
      for (const one of [page, second]) {
        await timelineOf(one).getByText(`word${WORDS}`).waitFor();
        expect(await readTimeline(one)).toContain(EVERY_WORD);
        expect(await readTimeline(one)).toContain('?? hello.txt');
        await headerOf(one).getByText('Ready').waitFor();
      }
      expect(withoutTimes(await readTimeline(page))).toBe(withoutTimes(await readTimeline(second)));
      await showsDiff(page);
      expect(browser.takeComplaints()).toEqual([]);
    }, 90_000);

    it('of a platform that is killed and started again goes on without a reload, and reads as on a fresh page', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession(`${PROMPT}\nslow: 60`);
      const page = await browser.open(platform, `/s/${id}`);
      await timelineOf(page).getByText('word5 ').first().waitFor();
      const victim = platform.pidOf('platform');
      await platform.killSupervisor();
      process.kill(victim, 'SIGKILL');
      const banner = page.getByRole('status').filter({ hasText: 'Reconnecting' });
      await banner.waitFor();
      await banner.getByText(/Attempt [2-9]/).waitFor({ timeout: ATTEMPTS_MS });
      await banner.getByRole('button', { name: 'Retry now' }).click();
      expect(await readTimeline(page)).toContain('word5');
      await platform.up();
      await banner.waitFor({ state: 'detached', timeout: ATTEMPTS_MS });
      await stage.settled(id);
      await headerOf(page).getByText('Ready').waitFor();
      const fresh = await browser.open(platform, `/s/${id}`);
      await headerOf(fresh).getByText('Ready').waitFor();
      await timelineOf(fresh).getByText('word60').last().waitFor();
      expect(withoutTimes(await readTimeline(page))).toBe(withoutTimes(await readTimeline(fresh)));
      expect(await readTimeline(fresh)).toContain(EVERY_WORD);
      expect(browser.takeComplaints(BROKEN_LINE)).toEqual([]);
    }, 120_000);
  });
}

async function showsDiff(page: Page): Promise<void> {
  await page.getByRole('complementary', { name: 'Details' }).getByText('hello.txt').click();
  const file = page.getByRole('article', { name: 'hello.txt' });
  await file.getByText('hi', { exact: true }).first().waitFor();
  expect(page.url()).toContain('tab=changes');
  await page.reload();
  await file.getByText('hi', { exact: true }).first().waitFor();
  await page.getByRole('tab', { name: 'Chat' }).click();
  await timelineOf(page).waitFor();
  expect(sessionIdOf(page)).not.toBe('');
}

function wordsIn(text: string): number {
  return text.match(/word\d+/g)?.length ?? 0;
}

/** "Now" and "1 min" are both true. */
function withoutTimes(text: string): string {
  return text.replaceAll(/\b(?:just now|now|\d+(?:\.\d+)? ?(?:ms|s|min|m|h)(?: ago)?)\b/g, '…');
}
