import { describe, expect, it } from '@jest/globals';

import { HOME } from './stage.js';
import type { Stage } from './stage.js';

const REFUSED = /status of 401/;

/** Goal: who opens a link is in, and nobody else. */
export function signIn(stage: Stage): void {
  describe('a link', () => {
    it('signs one browser in, which a reload does not forget, and no second one', async () => {
      const { platform, browser } = stage;
      const { body } = await platform.api<{ code: string }>('POST', '/sign-in-codes');
      const link = `${platform.url}/#code=${body.code}`;
      const first = await browser.newPerson();
      const page = await first.newPage();
      await page.goto(link);
      await page.getByRole('heading', HOME).waitFor();
      expect(page.url()).toBe(`${platform.url}/`);
      expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
      await page.reload();
      await page.getByRole('heading', HOME).waitFor();
      const tab = await first.newPage();
      await tab.goto(`${platform.url}/`);
      await tab.getByRole('heading', HOME).waitFor();
      expect(await first.cookies()).toEqual([]);
      expect(browser.takeComplaints()).toEqual([]);

      const second = await (await browser.newPerson()).newPage();
      await second.goto(link);
      await second.getByRole('alert').getByText('./bullpen open').waitFor();
      expect(second.url()).not.toContain('code');
      expect(await second.evaluate('localStorage.length')).toBe(0);
      expect(browser.takeComplaints(REFUSED)).toEqual([]);
    });

    it('used up does no harm to a browser that is signed in', async () => {
      const { platform, browser } = stage;
      const page = await browser.open(platform, '/');
      await page.getByRole('heading', HOME).waitFor();
      const asked = page.waitForResponse('**/api/v1/sign-in');
      await page.goto(`${platform.url}/#code=${'0'.repeat(64)}`);
      expect((await asked).status()).toBe(401);
      await page.getByRole('heading', HOME).waitFor();
      expect(page.url()).toBe(`${platform.url}/`);
      expect(browser.takeComplaints(REFUSED)).toEqual([]);
    });

    it('of ./bullpen open lets a page in that is open and signed out', async () => {
      const { platform, browser } = stage;
      const page = await (await browser.newPerson()).newPage();
      await page.goto(`${platform.url}/`);
      await page.getByRole('heading', { name: 'Sign in to Bullpen' }).waitFor();
      const { output } = await platform.cli(['open']);
      await page.goto(output.trim());
      await page.getByRole('heading', HOME).waitFor();
      expect(page.url()).toBe(`${platform.url}/`);
      expect(browser.takeComplaints()).toEqual([]);
    });
  });

  describe('without a link', () => {
    it('asks for the token, says where it lies, refuses a wrong one and takes the right one', async () => {
      const { platform, browser } = stage;
      const page = await (await browser.newPerson()).newPage();
      await page.goto(`${platform.url}/s/00n7rdh3g1k0e1cqeeeg306xqz83`);
      await page.getByText('.bullpen/token').waitFor();
      await page.getByLabel('Or paste the token').fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Or paste the token').fill(platform.token);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'There is no such session' }).waitFor();
      expect(browser.takeComplaints(REFUSED)).toEqual([]);
    });
  });
}
