/** A headless Chromium whose pages notice what must not happen. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const EXECUTABLE = process.env.BWMON_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface PageOptions {
  scheme?: "light" | "dark";
  width?: number;
  height?: number;
  /** Console errors that the test provokes, such as a status of 500. */
  expected?: RegExp;
}

export interface WatchedPage {
  page: Page;
  /** Console errors, uncaught exceptions and violations of the content security policy so far. */
  faults: string[];
  close: () => Promise<void>;
}

/** Opens a page in a fresh browser with an empty profile. */
export async function openPage(options: PageOptions = {}): Promise<WatchedPage> {
  const profile = mkdtempSync(join(tmpdir(), "bwmon-e2e-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: ARGUMENTS,
    colorScheme: options.scheme ?? "light",
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const faults = await watch(page, options.expected);
  return { page, faults, close: () => closeAll(context, profile) };
}

/** Rules that axe finds broken with serious or critical impact, with the elements. */
export async function seriousViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/** By how many pixels the page is wider than the window. */
export function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

async function watch(page: Page, expected: RegExp | undefined): Promise<string[]> {
  const faults: string[] = [];
  const note = (text: string) => {
    if (!expected?.test(text)) faults.push(text);
  };
  page.on("pageerror", (error) => note(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") note(`console: ${message.text()}`);
  });
  await page.exposeFunction("noteViolation", note);
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const report = (window as unknown as { noteViolation: (text: string) => void }).noteViolation;
      report(`content security policy: ${event.violatedDirective} blocked ${event.blockedURI}`);
    });
  });
  return faults;
}

async function closeAll(context: BrowserContext, profile: string): Promise<void> {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
