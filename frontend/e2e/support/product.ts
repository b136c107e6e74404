/** What a reader of the page does and sees, in terms of roles and labels. */

import type { Locator, Page } from "playwright-core";

export function cards(page: Page): Locator {
  return page.getByRole("list", { name: "Hosts" }).getByRole("article");
}

/** Opens the dashboard and waits for the first card; signs in where the collector asks for its token. */
export async function openDashboard(page: Page, base: string, token?: string): Promise<void> {
  await page.goto(base);
  if (token !== undefined) await signIn(page, token);
  await cards(page).first().waitFor();
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Goes from the dashboard to the page of its first host, or of the host named `name`. */
export async function openHost(page: Page, name?: string): Promise<void> {
  const card = name === undefined ? cards(page).first() : page.getByRole("article", { name, exact: true });
  await card.getByRole("link").click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("region", { name: "Last report" }).waitFor();
}

/** Rows of a table's body. */
export function rows(page: Page, table: string): Locator {
  return page.getByRole("table", { name: table }).locator("tbody tr");
}

/** The table that stands for a chart, for readers who cannot see it. */
export function chartRows(page: Page, title: string): Locator {
  return page.getByRole("figure", { name: title, exact: true }).locator("tbody tr");
}

/** Rows of a chart's table in which something was measured. */
export async function measuredRows(page: Page, title: string): Promise<number> {
  const texts = await chartRows(page, title).allTextContents();
  return texts.filter((text) => !text.includes("no data")).length;
}

/** Waits until the host view lists `address` among its peers. */
export async function waitForPeer(page: Page, address: string, timeoutMs: number): Promise<void> {
  await page
    .getByRole("region", { name: "Top peers" })
    .getByText(address, { exact: true })
    .first()
    .waitFor({ timeout: timeoutMs });
}

/** Waits until `read` answers something else than it does now. */
export async function waitForChange(read: () => Promise<string>, timeoutMs: number): Promise<void> {
  const before = await read();
  const deadline = Date.now() + timeoutMs;
  while ((await read()) === before) {
    if (Date.now() > deadline) throw new Error(`still the same after ${timeoutMs} ms: ${before}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
