import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { TestBrowser, printedLink } from '../browser.harness.js';
import { TestPlatform } from '../platform.harness.js';

/** Goal: who opens the printed link is in, and nobody else. Method: the real product in a real browser. */
const REFUSED = /status of 401/;
let platform: TestPlatform;
let browser: TestBrowser;

beforeAll(async () => {
  [platform, browser] = await Promise.all([TestPlatform.start(), TestBrowser.launch()]);
}, 90_000);
afterEach(async () => browser.forgetAll());
afterAll(async () => {
  await browser?.close();
  await platform?.remove();
}, 60_000);

const home = { name: 'What should we build?' };

describe('the printed link', () => {
  it('signs one browser in, which a reload does not forget, and no second one', async () => {
    const link = printedLink(platform);
    const first = await browser.newPerson();
    const page = await first.newPage();
    await page.goto(link);
    await page.getByRole('heading', home).waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
    await page.reload();
    await page.getByRole('heading', home).waitFor();
    const tab = await first.newPage();
    await tab.goto(`${platform.url}/`);
    await tab.getByRole('heading', home).waitFor();
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
    const page = await browser.open(platform, '/');
    await page.getByRole('heading', home).waitFor();
    const asked = page.waitForResponse('**/api/v1/sign-in');
    await page.goto(`${platform.url}/#code=${'0'.repeat(64)}`);
    expect((await asked).status()).toBe(401);
    await page.getByRole('heading', home).waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
    expect(browser.takeComplaints(REFUSED)).toEqual([]);
  });
});

describe('another link', () => {
  it('lets a page in that is open and signed out', async () => {
    const page = await (await browser.newPerson()).newPage();
    await page.goto(`${platform.url}/`);
    await page.getByRole('heading', { name: 'Sign in to Bullpen' }).waitFor();
    const { output } = await platform.cli(['open']);
    await page.goto(output.trim());
    await page.getByRole('heading', home).waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
    expect(browser.takeComplaints()).toEqual([]);
  });
});

describe('without a link', () => {
  it('asks for the token, says where it lies, refuses a wrong one and takes the right one', async () => {
    const page = await (await browser.newPerson()).newPage();
    await page.goto(`${platform.url}/s/00n7rdh3g1k0e1cqeeeg306xqz83`);
    await page.getByText('.bullpen/token').waitFor();
    await page.getByLabel('Or paste the token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Or paste the token').fill(platform.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    expect(browser.takeComplaints(REFUSED)).toEqual([]);
  });
});
