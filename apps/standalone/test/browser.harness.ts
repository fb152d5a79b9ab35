import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

import { CHECKOUT } from './platform.harness.js';
import type { TestPlatform } from './platform.harness.js';

const CHROMIUM = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Chromium's own sandbox refuses root. */
const ARGUMENTS = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const ACTION_MS = 20_000;
const PICTURES = join(CHECKOUT, 'test-output', 'dashboard');

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: Theme;
  /** As with a finger: coarse pointer, touch events. */
  readonly hasTouch?: boolean;
}

/** One real browser for a file of tests. Whoever opens it is a person with a profile of their own. */
export class TestBrowser {
  /** Console errors, uncaught exceptions and violations of the page's policy, of every page. */
  readonly complaints: string[] = [];
  readonly #contexts = new Set<BrowserContext>();

  private constructor(private readonly browser: Browser) {}

  static async launch(): Promise<TestBrowser> {
    const executablePath = CHROMIUM.find((path) => path !== undefined && existsSync(path));
    if (executablePath === undefined) throw new Error('No Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH.');
    return new TestBrowser(await chromium.launch({ executablePath, args: ARGUMENTS }));
  }

  /** A person who is not signed in. */
  async newPerson({ width = 1_280, height = 800, theme = 'light', hasTouch = false }: Screen = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme, hasTouch, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'] });
    context.setDefaultTimeout(ACTION_MS);
    context.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    this.#contexts.add(context);
    return context;
  }

  /** A new person's page at `path`, signed in by a link of its own. */
  async open(platform: TestPlatform, path: string, screen: Screen = {}): Promise<Page> {
    const { body } = await platform.api<{ code: string }>('POST', '/sign-in-codes');
    const page = await (await this.newPerson(screen)).newPage();
    await page.goto(`${platform.url}${path}#code=${body.code}`);
    return page;
  }

  /** What nobody complained of; `expected`: what a test provoked. Forgets them all. */
  takeComplaints(...expected: readonly RegExp[]): string[] {
    return this.complaints.splice(0).filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
  }

  /** Ends every person's pages. */
  async forgetAll(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    this.#contexts.clear();
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** Of `make up`: used once. */
export function printedLink({ output, url }: TestPlatform): string {
  const link = /^ +open +(\S+)$/m.exec(output)?.[1];
  if (link === undefined || !link.startsWith(`${url}/#code=`)) throw new Error(`make up printed no link:\n${output}`);
  return link;
}

/** Kept under test-output/, to be looked at. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' });
}

/** One line for each violation of what axe checks, or of `rules` alone; empty when there is none. */
export async function axeViolations(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.replaceAll(/\s+/g, ' ') ?? ''}`));
}
