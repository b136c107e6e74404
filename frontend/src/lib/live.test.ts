import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { World } from "../../e2e/mock/world";
import type { HostSummary } from "../api/types";
import type { EventHandlers } from "./api-client";
import { LiveStream } from "./live";

const world = new World({ hosts: 2 });

function setUp() {
  const opened: { host: string | null; handlers: EventHandlers; closed: boolean }[] = [];
  const applied: { hosts: HostSummary[]; detail: string | null }[] = [];
  const resumed = vi.fn();
  const refused = vi.fn();
  const stream = new LiveStream(
    (host, handlers) => {
      const connection = { host, handlers, closed: false };
      opened.push(connection);
      return () => {
        connection.closed = true;
      };
    },
    {
      apply: (hosts, detail) => applied.push({ hosts, detail: detail?.summary.id ?? null }),
      resumed,
      refused,
    },
  );
  const newest = () => {
    const connection = opened.at(-1);
    if (connection === undefined) throw new Error("nothing was opened");
    return connection;
  };
  return { stream, opened, newest, applied, resumed, refused };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the event stream", () => {
  it("applies many events at once, the newest of each host", () => {
    const { stream, newest, applied } = setUp();
    stream.start(null);
    newest().handlers.open();
    const first = world.summary(0);
    newest().handlers.host(first);
    newest().handlers.host({ ...first, cpu_percent: 99 });
    newest().handlers.host(world.summary(1));
    newest().handlers.detail(world.detail(1));
    expect(applied).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(applied).toHaveLength(1);
    expect(applied[0]?.hosts.map((host) => host.cpu_percent)).toEqual([99, world.summary(1).cpu_percent]);
    expect(applied[0]?.detail).toBe(world.id(1));
    expect(stream.snapshot().phase).toBe("live");
    expect(stream.snapshot().lastEventAt).toBe(Date.now());
  });

  it("waits for the browser's own retry, then reads what it missed", () => {
    const { stream, opened, newest, resumed, refused } = setUp();
    stream.start(null);
    newest().handlers.open();
    newest().handlers.lost(false);
    expect(stream.snapshot().phase).toBe("reconnecting");
    newest().handlers.open();
    expect(stream.snapshot().phase).toBe("live");
    expect(opened).toHaveLength(1);
    expect(resumed).toHaveBeenCalledOnce();
    expect(refused).not.toHaveBeenCalled();
  });

  it("opens anew by itself, ever more slowly, when refused, and calls that offline after a while", () => {
    const { stream, opened, newest, refused } = setUp();
    stream.start(null);
    newest().handlers.lost(true);
    expect(refused).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1_000);
    expect(opened).toHaveLength(2);
    newest().handlers.lost(true);
    vi.advanceTimersByTime(1_999);
    expect(opened).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(opened).toHaveLength(3);
    vi.advanceTimersByTime(10_000);
    expect(stream.snapshot().phase).toBe("offline");
    newest().handlers.open();
    vi.advanceTimersByTime(30_000);
    expect(stream.snapshot().phase).toBe("live");
  });

  it("mistrusts a long silence", () => {
    const { stream, opened, newest, resumed } = setUp();
    stream.start(null);
    newest().handlers.open();
    vi.advanceTimersByTime(44_000);
    newest().handlers.host(world.summary(0));
    vi.advanceTimersByTime(44_000);
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    expect(opened.map((connection) => connection.closed)).toEqual([true, false]);
    newest().handlers.open();
    expect(resumed).toHaveBeenCalledOnce();
  });

  it("changes the watched host and drops what the old stream still held", () => {
    const { stream, opened, newest, applied } = setUp();
    stream.start(null);
    newest().handlers.host(world.summary(0));
    stream.start(world.id(1));
    expect(opened.map(({ host, closed }) => [host, closed])).toEqual([
      [null, true],
      [world.id(1), false],
    ]);
    stream.stop();
    vi.advanceTimersByTime(120_000);
    expect(applied).toEqual([]);
    expect(opened).toHaveLength(2);
  });
});
