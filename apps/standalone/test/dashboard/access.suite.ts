import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';

import { HOME, startByForm, timelineOf } from './stage.js';
import type { Stage } from './stage.js';

const PHONE = { width: 360, height: 640, hasTouch: true } as const;
const TOUCH_PX = 44;
const MAX_TABS = 40;

/** Goal: the same work with a thumb, or without a mouse. */
export function access(stage: Stage): void {
  describe('on a phone', () => {
    it('starts a session, reads it, sees its changes and its details', async () => {
      const { platform, browser } = stage;
      const page = await browser.open(platform, '/', PHONE);
      await page.getByRole('textbox', HOME).waitFor();
      await expectFits(page);
      await startByForm(page, 'write a-file-with-a-rather-long-name-for-a-phone.txt: hi\nrun: seq 40\nsay: all of it is done');
      await timelineOf(page).getByText(/^all of it is done/).waitFor();
      await expectFits(page);
      await page.getByRole('tab', { name: /^Changes/ }).click();
      await page.getByText('a-file-with-a-rather-long-name-for-a-phone.txt').first().waitFor();
      await expectFits(page);
      await page.getByRole('button', { name: 'Show the details' }).click();
      await page.getByRole('dialog', { name: 'Details' }).getByRole('heading', { name: /^Files changed/ }).waitFor();
      await expectFits(page);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Show the sessions' }).click();
      await page.getByRole('dialog', { name: 'Sessions' }).getByText(/a-file-with-a-rather-long-name/).waitFor();
      await expectFits(page);
      expect(browser.takeComplaints()).toEqual([]);
    }, 60_000);
  });

  describe('by keyboard alone', () => {
    it('starts, watches, queues, looks at changes, finds a session and stops', async () => {
      const { platform, browser } = stage;
      const page = await browser.open(platform, '/');
      await page.getByRole('textbox', HOME).waitFor();
      await page.getByRole('button', { name: 'Repository: sample' }).waitFor();
      await tabTo(page, HOME.name);
      await page.keyboard.insertText('write keys.txt: by hand\nslow: 300');
      await page.keyboard.press('ControlOrMeta+Enter');
      await timelineOf(page).getByText('word3 ').waitFor();
      await tabTo(page, 'Message');
      await page.keyboard.insertText('say: queued by keys');
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByRole('heading', { name: 'Queued 1' }).waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.keyboard.press('d');
      await page.waitForURL(/tab=changes/);
      await page.keyboard.press('g');
      await page.keyboard.press('c');
      await page.waitForURL((url) => !url.search.includes('tab'));
      await page.keyboard.press('ControlOrMeta+Backslash');
      await page.getByRole('complementary', { name: 'Details' }).waitFor({ state: 'detached' });
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
      await timelineOf(page).getByText(/^queued by keys/).waitFor();
      await page.keyboard.press('ControlOrMeta+k');
      await page.getByRole('dialog').getByRole('combobox').waitFor();
      await page.keyboard.insertText('new session');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', HOME).waitFor();
      expect(browser.takeComplaints()).toEqual([]);
    }, 60_000);
  });
}

/** Nothing sticks out to the side, and what is to be touched is large enough. */
async function expectFits(page: Page): Promise<void> {
  const found = (await page.evaluate(`(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const isShown = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('[inert],[aria-hidden=true]');
    const name = (each) => each.getAttribute('aria-label') ?? each.textContent.trim().slice(0, 40);
    const small = [...document.querySelectorAll('button, [role=tab], input:not([type=hidden]), select')].filter(isShown).flatMap((each) => {
      const { width, height } = (each.closest('label') ?? each).getBoundingClientRect();
      return width === 0 || (width >= ${TOUCH_PX} && height >= ${TOUCH_PX}) ? [] : [name(each) + ' ' + Math.round(width) + '×' + Math.round(height)];
    });
    return { wide, small };
  })()`)) as { wide: number; small: string[] };
  expect(found).toEqual({ wide: 0, small: [] });
}

async function tabTo(page: Page, name: string): Promise<void> {
  const focused = page.locator('*:focus');
  for (let presses = 0; presses < MAX_TABS; presses += 1) {
    if ((await focused.count()) > 0 && (await focused.first().getAttribute('aria-label')) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${MAX_TABS} tabs do not lead to ${name}`);
}
