/** States that a running product cannot be forced into quickly, against made-up hosts. */

import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import { type Mock, type MockOptions, startMock } from "../mock/server";
import { openPage, type PageOptions, seriousViolations, type WatchedPage } from "../support/browser";
import { cards, measuredRows, rows, signIn } from "../support/product";

const REFUSALS = /Failed to load resource/;

let mock: Mock | undefined;
let watched: WatchedPage | undefined;

afterEach(async () => {
  const faults = watched?.faults ?? [];
  await watched?.close();
  await mock?.close();
  watched = undefined;
  mock = undefined;
  expect(faults).toEqual([]);
});

async function visit(
  path: string,
  options: MockOptions,
  pageOptions: PageOptions = {},
): Promise<{ page: Page; mock: Mock }> {
  mock = await startMock(options);
  watched = await openPage(pageOptions);
  await watched.page.goto(mock.url + path);
  return { page: watched.page, mock };
}

const hostPath = (index: number) => `/hosts/${(index + 1).toString(16).padStart(32, "0")}`;

describe("the pings of a host", () => {
  it("names the hosts, says what was lost, and is not there where nobody is pinged", async () => {
    const { page } = await visit(hostPath(0), { hosts: 4 });
    const table = page.getByRole("table", { name: "Pings" });
    await table.waitFor();
    expect(await table.getByRole("row").count()).toBe(4);
    const first = await table.getByRole("row").nth(1).innerText();
    expect(first).toContain("3 of 3");
    expect(await table.getByText("TCP connect").count()).toBe(1);
    expect(await seriousViolations(page)).toEqual([]);
    await page.goto(page.url().replace(hostPath(0), hostPath(3)));
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByRole("heading", { name: "Interfaces" }).waitFor();
    expect(await table.count()).toBe(0);
  });
});

describe("the flows of a host", () => {
  it("says how many rows did not arrive, and why", async () => {
    const { page } = await visit(hostPath(3), { hosts: 4 });
    const notice = page.getByText("1,234 flow rows of this time did not arrive: the agent's spool was full.");
    await notice.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.goto(page.url().replace(hostPath(3), hostPath(0)));
    await page.getByRole("table", { name: "Top flows" }).waitFor();
    expect(await notice.count()).toBe(0);
  });
});

describe("the dashboard", () => {
  it("tells how to enrol an agent while there is no host", async () => {
    const { page, mock: server } = await visit("/", { hosts: 0 });
    const address = new URL(server.url).host;
    await page.getByText(`bwmon-collector enrol-token --address ${address}`, { exact: true }).waitFor();
    await page.getByText("bwmon-agent enrol", { exact: true }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("shows which agent was cloned, and on its page what to do", async () => {
    const { page } = await visit("/", { hosts: 2, cloned: [1] });
    const notice = "Cloned agent: enrol one of them again";
    const card = cards(page).filter({ hasText: notice });
    await card.waitFor();
    expect(await page.getByText(notice).count()).toBe(1);
    expect(await seriousViolations(page)).toEqual([]);
    await card.getByRole("link").click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText(notice).waitFor();
    await page.getByText("bwmon-agent enrol", { exact: true }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("shows whose clock is wrong, and where it was set", async () => {
    const { page } = await visit("/", { hosts: 2, wrongClocks: [1] });
    const card = cards(page).filter({ hasText: "Clock 1 h behind" });
    await card.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await card.getByRole("link").click();
    await page.getByText("This host's clock is 1 h behind").waitFor();
    await page.getByRole("img", { name: /^CPU .*; clock set back 1 h at / }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("shows whose agent shows no credential, and on its page what to do", async () => {
    const { page } = await visit("/", { hosts: 2, legacy: [1] });
    const notice = "Unauthenticated: its agent shows no credential";
    const card = cards(page).filter({ hasText: notice });
    await card.getByText("uptime not measured").waitFor();
    expect(await page.getByText(notice).count()).toBe(1);
    expect(await seriousViolations(page)).toEqual([]);
    await card.getByRole("link").click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText(notice).waitFor();
    await page.getByText("bwmon-agent enrol", { exact: true }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("shows placeholders while it waits", async () => {
    const { page, mock: server } = await visit("/", { hosts: 2, hold: true });
    await page.getByRole("status", { name: "Loading the hosts" }).waitFor();
    server.options.hold = false;
    await page.reload();
    await cards(page).first().waitFor();
  });

  it("says what failed and tries again when asked", async () => {
    const { page, mock: server } = await visit("/", { hosts: 2, failWith: 500 }, { expected: REFUSALS });
    await page.getByRole("alert").getByText("disk I/O error").waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    server.options.failWith = undefined;
    await page.getByRole("button", { name: "Try again" }).click();
    await cards(page).first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  it("keeps a host that stopped reporting, marked, and out of the sums", async () => {
    const { page } = await visit("/", { hosts: 2, names: ["alive", "silent"], stale: [1] });
    await page.getByRole("article", { name: "silent" }).getByText("Stale, last seen 3 min ago").waitFor();
    const summary = page.getByRole("region", { name: "Summary" });
    expect(await summary.textContent()).toContain("1 up");
    expect(await summary.textContent()).toContain("1 stale");
  });

  it("tells by keyboard what a capture method leaves out and which command grants more", async () => {
    const { page } = await visit("/", { hosts: 3, names: ["a", "b", "c"] });
    const badge = page.getByRole("button", { name: "Capture: TCP only on c" });
    await badge.focus();
    await page.keyboard.press("Enter");
    await page.getByText("sudo setcap cap_net_raw+ep /usr/local/bin/bwmon-agent", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    expect(await badge.getAttribute("aria-expanded")).toBe("false");
  });

  it("stays usable with 500 hosts: search and order, both in the address", async () => {
    const { page } = await visit("/", { hosts: 500, names: ["needle"] });
    await expect.poll(() => cards(page).count()).toBe(500);
    await page.getByRole("searchbox").fill("needle");
    await expect.poll(() => cards(page).count()).toBe(1);
    expect(new URL(page.url()).search).toBe("?q=needle");
    await page.getByRole("searchbox").fill("");
    await page.getByLabel("Sort by").selectOption("memory");
    await page.waitForURL(/\?sort=memory$/);
    const percents = async () => {
      const texts = await cards(page).allTextContents();
      return texts.slice(0, 20).map((text) => Number(/Memory([\d.]+)%/.exec(text)?.[1]));
    };
    // Cards keep their places for a few seconds while figures move by a little.
    await expect.poll(async () => isRoughlyDescending(await percents())).toBe(true);
    await page.goto(`${page.url()}&q=nowhere`);
    await page.getByText("No name or address contains “nowhere”").waitFor();
  });
});

describe("the host view", () => {
  it("says that a stale host's figures are old", async () => {
    const { page } = await visit(hostPath(0), { hosts: 1, stale: [0] });
    await page.getByText("This host stopped reporting").waitFor();
    await expect.poll(() => label(page, "CPU")).toContain("not arrived yet");
    expect(await seriousViolations(page)).toEqual([]);
  });

  it("neither joins a gap nor draws it as zero", async () => {
    const { page } = await visit(hostPath(0), { hosts: 1 });
    await expect.poll(() => label(page, "Throughput")).toContain("1 gap (agent did not run)");
    const texts = await page
      .getByRole("figure", { name: "Throughput" })
      .locator("tbody tr")
      .allTextContents();
    expect(texts.filter((text) => text.includes("no data")).length).toBeGreaterThan(0);
    expect(texts.filter((text) => text.includes("no data")).length).toBeLessThan(texts.length / 2);
  });

  it("pages, filters and sorts 200 flows", async () => {
    const { page } = await visit(hostPath(0), { hosts: 1 });
    await page.getByText("1–15 of 200").waitFor();
    await page.getByRole("button", { name: "Next page of flows" }).click();
    await page.getByText("16–30 of 200").waitFor();
    await page.getByLabel("Filter flows").fill("udp domain");
    await page.waitForURL(/flow=udp/);
    await expect
      .poll(async () =>
        (await rows(page, "Top flows").allTextContents()).every((row) => row.includes("UDP domain")),
      )
      .toBe(true);
    await page.getByLabel("Filter flows").fill("");
    const out = page.getByRole("table", { name: "Top flows" }).getByRole("columnheader", { name: "Out" });
    await out.getByRole("button").click();
    expect(await out.getAttribute("aria-sort")).toBe("descending");
  });

  it("shows the accounting to the byte, and which interfaces are not captured", async () => {
    const { page } = await visit(hostPath(0), { hosts: 1 });
    const account = page.getByRole("region", { name: "Accounting of eth0" });
    await account.getByText("every byte accounted for").first().waitFor();
    await account.getByText("LLDP").waitFor();
    await page.getByRole("region", { name: "Interfaces that are not captured" }).getByText("wg0").waitFor();
  });

  it("says that connection counters see TCP only, with the command that grants more", async () => {
    const { page } = await visit(hostPath(2), { hosts: 3 });
    await page.getByText("Capture: TCP only").waitFor();
    await page.getByText("sudo setcap cap_net_raw+ep /usr/local/bin/bwmon-agent", { exact: true }).waitFor();
    expect(await page.getByRole("region", { name: "Accounting of bytes" }).textContent()).toContain(
      "No interface is captured",
    );
  });

  it("knows when there is no such host, and no such page", async () => {
    const { page, mock: server } = await visit("/hosts/ffff", { hosts: 1 }, { expected: REFUSALS });
    await page.getByText("The collector knows no such host").waitFor();
    await page.goto(`${server.url}/nowhere`);
    await page.getByText("There is no page at this address").waitFor();
    await page.getByRole("link", { name: "Go to the hosts" }).click();
    await cards(page).first().waitFor();
  });
});

describe("the connection", () => {
  it("is shown as lost and comes back by itself, and the page is read anew meanwhile", async () => {
    const { page, mock: server } = await visit(hostPath(0), { hosts: 1 }, { expected: REFUSALS });
    const state = (text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
    await state("Live");
    await expect.poll(() => measuredRows(page, "CPU")).toBeGreaterThan(0);
    server.cutEvents(true);
    await state("Reconnecting");
    await page.waitForRequest((request) => request.url().endsWith(hostPath(0)));
    await state("Offline");
    server.cutEvents(false);
    await state("Live");
  });
});

describe("a collector with a token", () => {
  it("is asked for it once, refuses a wrong one, and signs out again", async () => {
    const { page } = await visit("/", { hosts: 1, token: "right" }, { expected: REFUSALS });
    await page.getByLabel("Token").waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await signIn(page, "wrong");
    await page.getByRole("alert").getByText("This is not the collector's token.").waitFor();
    await signIn(page, "right");
    await cards(page).first().waitFor();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await page.reload();
    await cards(page).first().waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
  });
});

async function label(page: Page, chart: string): Promise<string> {
  return (
    (await page
      .getByRole("figure", { name: chart, exact: true })
      .getByRole("img")
      .getAttribute("aria-label")) ?? ""
  );
}

function isRoughlyDescending(values: number[]): boolean {
  return (
    values.length > 1 && values.every((value, index) => index === 0 || value <= (values[index - 1] ?? 0) + 4)
  );
}
