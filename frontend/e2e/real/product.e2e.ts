/**
 * The page against a running collector with at least one agent.
 *
 * BWMON_E2E_URL    where the collector listens (needed)
 * BWMON_E2E_TOKEN  its token, where it asks for one
 * BWMON_E2E_PEER   an address that the first host exchanges traffic with, to be seen without a reload
 * BWMON_E2E_HOST   name of the host to open, the first one by default
 */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  openPage,
  type PageOptions,
  seriousViolations,
  sidewaysOverflow,
  type WatchedPage,
} from "../support/browser";
import {
  cards,
  measuredRows,
  openDashboard,
  openHost,
  rows,
  waitForChange,
  waitForPeer,
} from "../support/product";
import { sendDatagrams } from "../support/traffic";

const { BWMON_E2E_URL, BWMON_E2E_TOKEN, BWMON_E2E_PEER, BWMON_E2E_HOST } = process.env;
const PATIENCE_MS = 30_000;
/** A row of the chart's table stands for up to a minute. */
const ROW_PATIENCE_MS = 90_000;
/** A port that nothing else sends to. */
const FRESH_PORT = 7_778;

let watched: WatchedPage | undefined;

beforeEach(() => {
  if (!BWMON_E2E_URL)
    throw new Error("BWMON_E2E_URL must name a running collector, such as http://127.0.0.1:8000");
});

afterEach(async () => {
  const faults = watched?.faults ?? [];
  await watched?.close();
  watched = undefined;
  expect(faults).toEqual([]);
});

async function dashboard(options: PageOptions = {}) {
  // Without a session the first answers are refusals, which the browser writes to its console.
  const expected = BWMON_E2E_TOKEN === undefined ? {} : { expected: /status of 401/ };
  watched = await openPage({ ...options, ...expected });
  await openDashboard(watched.page, BWMON_E2E_URL ?? "", BWMON_E2E_TOKEN);
  return watched.page;
}

async function host(options: PageOptions = {}) {
  const page = await dashboard(options);
  await openHost(page, BWMON_E2E_HOST);
  return page;
}

describe("the dashboard", () => {
  it("shows a host that is up, with its figures", async () => {
    const page = await dashboard();
    const card = cards(page).first();
    await card.getByText("Up", { exact: true }).waitFor();
    await expect.poll(() => card.textContent()).toMatch(/CPU\d+(\.\d)?%.*Memory\d+(\.\d)?%/);
    await expect.poll(() => card.textContent()).toMatch(/in \d[\d.]*\s?[kMG]?bit\/s/);
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  });

  it("is reached and left by keyboard alone", async () => {
    const page = await dashboard();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    const name = (await cards(page).first().getByRole("link").textContent()) ?? "";
    for (let press = 0; press < 12; press += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.textContent)) === name) break;
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name }).waitFor();
  });
});

describe("the host view", () => {
  it("fills its charts and tables", async () => {
    const page = await host();
    for (const title of ["Throughput", "CPU", "Memory"]) {
      await expect.poll(() => measuredRows(page, title)).toBeGreaterThan(0);
    }
    expect(await rows(page, "Interfaces").count()).toBeGreaterThan(0);
    await page.getByRole("region", { name: "Accounting of bytes" }).waitFor();
    await page.getByRole("button", { name: "Table of CPU" }).click();
    expect(await page.getByRole("figure", { name: "CPU" }).locator("canvas").count()).toBe(0);
  });

  it(
    "follows the reports without a reload and without asking",
    async () => {
      const page = await host();
      await expect.poll(() => measuredRows(page, "CPU")).toBeGreaterThan(0);
      await page.evaluate(() => Object.assign(window, { sameDocument: true }));
      const asked: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      const figures = page.getByRole("region", { name: "Last report" });
      await Promise.all([
        waitForChange(async () => (await figures.textContent()) ?? "", PATIENCE_MS),
        // A busy machine is at 100 % from one report to the next; the chart has a point more nevertheless.
        waitForChange(async () => `${await measuredRows(page, "CPU")} points`, ROW_PATIENCE_MS),
      ]);
      expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
      expect(asked.filter((path) => /\/hosts\/[0-9a-f]{32}$/.test(path))).toEqual([]);
    },
    2 * ROW_PATIENCE_MS,
  );

  it("keeps the range in its address", async () => {
    const page = await host();
    await page.getByRole("radio", { name: "30 minutes" }).check({ force: true });
    await page.waitForURL(/range=30m/);
    await page.reload();
    await expect.poll(() => page.getByRole("radio", { name: "30 minutes" }).isChecked()).toBe(true);
  });

  it("shows traffic that starts while it is open, to the byte, without a reload", async () => {
    if (!BWMON_E2E_PEER)
      throw new Error("BWMON_E2E_PEER must name an address that the first host can send to");
    const page = await host();
    await waitForPeer(page, BWMON_E2E_PEER, PATIENCE_MS);
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    const flow = rows(page, "Top flows").filter({ hasText: `${BWMON_E2E_PEER}:${FRESH_PORT}` });
    await page.getByPlaceholder("Address, port, protocol").fill(String(FRESH_PORT));
    expect(await flow.count()).toBe(0);
    await sendDatagrams(BWMON_E2E_PEER, FRESH_PORT, 500, 1_000);
    // Ethernet, IPv4 and UDP headers are 42 bytes: 500 x 1,042.
    await flow.getByText("521 kB", { exact: true }).waitFor({ timeout: PATIENCE_MS });
    expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
  });
});

describe("everywhere", () => {
  it.each(["light", "dark"] as const)("has no serious accessibility fault, %s", async (scheme) => {
    const page = await dashboard({ scheme });
    expect(await seriousViolations(page)).toEqual([]);
    await openHost(page, BWMON_E2E_HOST);
    await expect.poll(() => measuredRows(page, "CPU")).toBeGreaterThan(0);
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("fits a narrow screen", async () => {
    const page = await dashboard({ width: 390, height: 844 });
    expect(await sidewaysOverflow(page)).toBe(0);
    await openHost(page, BWMON_E2E_HOST);
    await expect.poll(() => measuredRows(page, "CPU")).toBeGreaterThan(0);
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it("remembers the theme", async () => {
    const page = await dashboard({ scheme: "light" });
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await theme()).toBe("light");
    await page.getByRole("radio", { name: "Dark" }).check({ force: true });
    expect(await theme()).toBe("dark");
    // Stops before the application's module runs: the boot script alone has set the theme.
    await page.route(/\/assets\/index-.*\.js$/, (route) => route.abort());
    await page.reload({ waitUntil: "domcontentloaded" });
    expect(await theme()).toBe("dark");
    // The script that was held back is the only fault that this test expects.
    const faults = watched?.faults.splice(0) ?? [];
    expect(faults.filter((fault) => !fault.includes("ERR_FAILED"))).toEqual([]);
  });
});
