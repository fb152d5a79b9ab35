import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { headerOf, HOME, startByForm, timelineOf } from './stage.js';
import type { Stage } from './stage.js';

const REFUSED = /status of 422/;
const OFFLINE = /ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed/;
const message = { name: 'Message' } as const;

const send = async (page: Page, text: string): Promise<void> => {
  await page.getByRole('textbox', message).fill(text);
  await page.keyboard.press('ControlOrMeta+Enter');
};

/** Goal: a person is never held up and nothing they wrote is lost or done twice. */
export function working(stage: Stage): void {
  describe('while a turn runs', () => {
    it('queues prompts, changes and removes them, and runs them in order', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession('slow: 100');
      const page = await browser.open(platform, `/s/${id}`);
      await timelineOf(page).getByText('word3 ').waitFor();
      await send(page, 'say: the second');
      await page.getByRole('heading', { name: 'Queued 1' }).waitFor();
      await send(page, 'say: never');
      await page.getByRole('heading', { name: 'Queued 2' }).waitFor();
      expect(await page.getByRole('textbox', message).inputValue()).toBe('');
      const rows = page.getByRole('region', { name: /^Queued/ }).getByRole('listitem');
      await rows.nth(0).getByRole('button', { name: 'Edit' }).click();
      await page.getByRole('textbox', { name: 'Queued prompt' }).fill('say: the changed second');
      await page.getByRole('button', { name: 'Save' }).click();
      await rows.nth(0).getByText('say: the changed second').waitFor();
      await rows.nth(1).getByRole('button', { name: 'Remove from the queue' }).click();
      await page.getByRole('heading', { name: 'Queued 1' }).waitFor();
      await page.getByRole('button', { name: /^Stop/ }).click();
      await stage.settled(id);
      await timelineOf(page).getByText(/^the changed second/).waitFor();
      expect((await platform.session(id)).turns.map(({ prompt, state }) => [prompt, state])).toEqual([
        ['slow: 100', 'cancelled'],
        ['say: the changed second', 'completed'],
      ]);
      expect(browser.takeComplaints()).toEqual([]);
    }, 60_000);

    it('stops by Escape: the field first, then the turn', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession('run: sleep 300');
      const page = await browser.open(platform, `/s/${id}`);
      await headerOf(page).getByText('Running').waitFor();
      await page.getByRole('textbox', message).focus();
      await page.keyboard.press('Escape');
      expect(await page.getByRole('textbox', message).evaluate((field) => field === field.ownerDocument.activeElement)).toBe(false);
      expect((await platform.session(id)).runningTurnId).not.toBeNull();
      await page.keyboard.press('Escape');
      await stage.settled(id);
      await headerOf(page).getByText('Ready').waitFor();
      expect((await platform.session(id)).turns[0]?.state).toBe('cancelled');
      expect(browser.takeComplaints()).toEqual([]);
    }, 60_000);

    it('shows the same in two tabs, and sends what was written once', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession('slow: 100');
      const page = await browser.open(platform, `/s/${id}`);
      await timelineOf(page).getByText('word3 ').waitFor();
      const other = await page.context().newPage();
      await other.goto(page.url());
      await timelineOf(other).getByText('word3 ').waitFor();
      await send(page, 'say: of the first tab');
      await other.getByText('say: of the first tab').waitFor();
      await send(other, 'say: of the second tab');
      for (const tab of [page, other]) await tab.getByRole('heading', { name: 'Queued 2' }).waitFor();
      const { queue } = await platform.session(id);
      expect(queue.map(({ text }) => text)).toEqual(['say: of the first tab', 'say: of the second tab']);
      await platform.api('POST', `/sessions/${id}/archive`);
      expect(browser.takeComplaints()).toEqual([]);
    }, 60_000);
  });

  describe('without a network', () => {
    it('keeps what is written, also over a reload, and sends it once when the network is back', async () => {
      const { platform, browser } = stage;
      const id = await platform.createSession('say: ready');
      const page = await browser.open(platform, `/s/${id}`);
      await headerOf(page).getByText('Ready').waitFor();
      await page.context().setOffline(true);
      await page.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
      await send(page, 'say: written offline');
      await page.getByText('say: written offline').waitFor();
      expect((await platform.session(id)).turns).toHaveLength(1);
      await page.context().setOffline(false);
      await page.reload();
      await timelineOf(page).getByText(/^written offline/).waitFor();
      await stage.settled(id);
      expect((await platform.session(id)).turns.map(({ prompt }) => prompt)).toEqual(['say: ready', 'say: written offline']);
      expect(browser.takeComplaints(OFFLINE)).toEqual([]);
    }, 60_000);
  });

  describe('a wrong repository or branch', () => {
    it('is named where it was given, and the prompt stays', async () => {
      const { platform, browser } = stage;
      const page = await browser.open(platform, '/');
      await page.getByRole('textbox', HOME).fill('say: kept');
      await page.getByRole('button', { name: /^Repository/ }).click();
      await page.getByPlaceholder('Find a repository…').fill('/nowhere/at/all');
      await page.getByText('Add /nowhere/at/all').click();
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('alert').filter({ hasText: '/nowhere/at/all' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('textbox', { name: 'Branch' }).fill('no-such-branch');
      await page.getByRole('button', { name: /^Start/ }).click();
      await page.getByRole('alert').filter({ hasText: 'no-such-branch' }).waitFor();
      expect(await page.getByRole('textbox', HOME).inputValue()).toBe('say: kept');
      await page.reload();
      expect(await page.getByRole('textbox', HOME).inputValue()).toBe('say: kept');
      await page.getByRole('textbox', { name: 'Branch' }).fill('');
      await startByForm(page, 'say: kept');
      await timelineOf(page).getByText(/^kept/).waitFor();
      expect(browser.takeComplaints(REFUSED)).toEqual([]);
    }, 60_000);
  });
}
