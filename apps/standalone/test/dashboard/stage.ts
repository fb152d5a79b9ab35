import type { Locator, Page } from 'playwright-core';

import { TestBrowser } from '../browser.harness.js';
import { TestPlatform, eventually } from '../platform.harness.js';

/** One platform and one browser for all suites of the dashboard: starting them costs more than most tests. */
export class Stage {
  #platform: TestPlatform | null = null;
  #browser: TestBrowser | null = null;

  async raise(): Promise<void> {
    [this.#platform, this.#browser] = await Promise.all([
      TestPlatform.start({ BULLPEN_USER_NAME: 'Ada Lovelace', BULLPEN_USER_EMAIL: 'ada@example.com' }),
      TestBrowser.launch(),
    ]);
  }

  get platform(): TestPlatform {
    if (this.#platform === null) throw new Error('the platform was not started');
    return this.#platform;
  }

  get browser(): TestBrowser {
    if (this.#browser === null) throw new Error('the browser was not started');
    return this.#browser;
  }

  async strike(): Promise<void> {
    await this.#browser?.close();
    await this.#platform?.remove();
  }

  /** Once nothing of the session runs or waits. */
  async settled(sessionId: string): Promise<void> {
    await eventually('nothing runs or waits', 60_000, async () => {
      const { status, runningTurnId, queue } = await this.platform.session(sessionId);
      return runningTurnId === null && queue.length === 0 && status !== 'queued';
    });
  }
}

export const HOME = { name: 'What should we build?' } as const;

/** Of the address. */
export function sessionIdOf(page: Page): string {
  const id = /\/s\/([0-9a-z]+)/.exec(page.url())?.[1];
  if (id === undefined) throw new Error(`no session in ${page.url()}`);
  return id;
}

/** Of the session: its title, how it stands, what can be done. */
export const headerOf = (page: Page): Locator => page.getByRole('main').locator('header').first();
export const timelineOf = (page: Page): Locator => page.getByRole('feed');

/** From the home page; resolves at the session's page. */
export async function startByForm(page: Page, prompt: string): Promise<string> {
  await page.getByRole('textbox', HOME).fill(prompt);
  await page.getByRole('button', { name: 'Repository: sample' }).waitFor();
  await page.getByRole('button', { name: /^Start/ }).click();
  await page.waitForURL(/\/s\//);
  return sessionIdOf(page);
}

/** What a person reads in the timeline; how long something took may be another on each page while it runs. */
export async function readTimeline(page: Page): Promise<string> {
  return (await timelineOf(page).innerText()).replaceAll(/\s+/g, ' ').trim();
}
