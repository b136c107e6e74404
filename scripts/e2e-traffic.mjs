// Known traffic for the browser tests: `serve PORT` takes TCP and UDP on IPv4 and IPv6,
// `send IPV4 IPV6 PORT` keeps sending to it, 100 kB/s over TCP and 10 kB/s over UDP to each address.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [mode, ...rest] = process.argv.slice(2);

function serve(port) {
  createServer((socket) => socket.on("error", () => {}).resume()).listen(port, "::");
  createSocket("udp6").bind(port, "::");
}

function sendTcp(address, port) {
  const socket = connect(port, address);
  const chunk = Buffer.alloc(10_000, "t");
  const timer = setInterval(() => socket.write(chunk), 100);
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    setTimeout(() => sendTcp(address, port), 200);
  });
}

function sendUdp(address, port) {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {});
  const chunk = Buffer.alloc(1_000, "u");
  setInterval(() => socket.send(chunk, port, address), 100);
}

if (mode === "serve") {
  serve(Number(rest[0]));
} else if (mode === "send") {
  const port = Number(rest[2]);
  for (const address of rest.slice(0, 2)) {
    sendTcp(address, port);
    sendUdp(address, port);
  }
} else {
  console.error("usage: e2e-traffic.mjs serve PORT | send IPV4 IPV6 PORT");
  process.exit(1);
}
