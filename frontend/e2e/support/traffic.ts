/** Known traffic from the host that the browser runs on. */

import { createSocket } from "node:dgram";

/** Sends `count` datagrams of `bytes` bytes to `address`. */
export async function sendDatagrams(
  address: string,
  port: number,
  count: number,
  bytes: number,
): Promise<void> {
  const socket = createSocket("udp4");
  const payload = Buffer.alloc(bytes, "d");
  try {
    for (let sent = 0; sent < count; sent += 1) {
      await new Promise<void>((resolve, reject) =>
        socket.send(payload, port, address, (error) => (error ? reject(error) : resolve())),
      );
    }
  } finally {
    socket.close();
  }
}
