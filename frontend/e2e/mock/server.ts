/** A stand-in for the collector: serves the built page with the real content security policy, answers the API, sends events. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { INTERVAL_US, nowUs, World, type WorldOptions } from "./world";

export interface MockOptions extends WorldOptions {
  port?: number;
  /** Status that every read of hosts answers with, while set. */
  failWith?: number;
  /** Answers to reads are held back while set. */
  hold?: boolean;
  /** The token that a session needs. */
  token?: string;
}

export interface Mock {
  url: string;
  options: MockOptions;
  /** Cuts all event streams; while `refuse` is set, new ones are answered 503. */
  cutEvents: (refuse: boolean) => void;
  close: () => Promise<void>;
}

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".json": "application/json",
};

export async function startMock(options: MockOptions): Promise<Mock> {
  const world = new World(options);
  const streams = new Map<ServerResponse, string | null>();
  let refusing = false;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (!url.pathname.startsWith("/api/v1/")) return page(url.pathname, response);
    const path = url.pathname.slice("/api/v1".length);
    if (path === "/session") return session(request, response, options.token);
    const allowed =
      options.token === undefined || (request.headers.cookie ?? "").includes("bwmon_session=good");
    if (path === "/health") {
      return json(response, 200, {
        status: "ok",
        version: "0.1.0",
        auth_required: options.token !== undefined,
      });
    }
    if (!allowed) return problem(response, 401, "A token is needed.");
    if (path === "/events") {
      if (refusing) return problem(response, 503, "The event stream is not available.");
      return subscribe(response, url.searchParams.get("host"));
    }
    if (options.hold) return undefined;
    if (options.failWith)
      return problem(response, options.failWith, "The database could not be read: disk I/O error.");
    return read(world, path, url, response);
  });

  const subscribe = (response: ServerResponse, host: string | null) => {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write("retry: 500\n\n");
    streams.set(response, host);
    response.on("close", () => streams.delete(response));
    const index = host === null ? undefined : world.indexOf(host);
    if (index !== undefined) send(response, "detail", world.detail(index));
  };

  const timer = setInterval(() => {
    for (let index = 0; index < options.hosts; index += 1) {
      if (world.isStale(index)) continue;
      const summary = world.summary(index);
      for (const [response, host] of streams) {
        send(response, "host", summary);
        if (host === summary.id) send(response, "detail", world.detail(index));
      }
    }
  }, INTERVAL_US / 1_000);

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    options,
    cutEvents: (refuse) => {
      refusing = refuse;
      for (const response of streams.keys()) response.destroy();
    },
    close: () => stop(server, timer),
  };
}

function read(world: World, path: string, url: URL, response: ServerResponse): void {
  const [, id = "", rest] = /^\/hosts\/([^/]+)(\/series)?$/.exec(path) ?? [];
  const index = world.indexOf(id);
  if (path === "/hosts") {
    json(response, 200, { hosts: world.summaries(), stale_after_s: 120, server_time_us: nowUs() });
  } else if (index === undefined) {
    problem(response, 404, `There is no host ${id}.`);
  } else if (rest === undefined) {
    json(response, 200, world.detail(index));
  } else {
    json(response, 200, world.series(index, Number(url.searchParams.get("seconds") ?? 600)));
  }
}

function session(request: IncomingMessage, response: ServerResponse, token: string | undefined): void {
  if (request.method === "DELETE") {
    response.writeHead(204, { "Set-Cookie": "bwmon_session=; Max-Age=0; Path=/" }).end();
    return;
  }
  let body = "";
  request.on("data", (chunk) => {
    body += String(chunk);
  });
  request.on("end", () => {
    if ((JSON.parse(body) as { token?: string }).token !== token) {
      problem(response, 401, "The token is wrong.");
      return;
    }
    response.writeHead(204, { "Set-Cookie": "bwmon_session=good; HttpOnly; SameSite=Strict; Path=/" }).end();
  });
}

function page(pathname: string, response: ServerResponse): void {
  const file = join(DIST, normalize(pathname));
  const found = file.startsWith(DIST) && existsSync(file) && statSync(file).isFile();
  const served = found ? file : join(DIST, "index.html");
  response
    .writeHead(200, {
      "Content-Type": TYPES[extname(served)] ?? "application/octet-stream",
      "Content-Security-Policy": CSP,
    })
    .end(readFileSync(served));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response
    .writeHead(status, { "Content-Type": "application/problem+json" })
    .end(JSON.stringify({ type: "about:blank", title: `Status ${status}`, status, detail }));
}

function send(response: ServerResponse, event: string, data: unknown): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function stop(server: Server, timer: NodeJS.Timeout): Promise<void> {
  clearInterval(timer);
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
