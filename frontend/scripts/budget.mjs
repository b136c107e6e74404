// Fails when the JavaScript that the first view needs exceeds its budget, compressed.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const INITIAL_BYTES = 200_000;
const dist = new URL("../dist/", import.meta.url);

// Vite names the entry and everything that it imports statically in index.html.
const html = readFileSync(new URL("index.html", dist), "utf8");
const files = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, file]) => file);
const sizes = files.map((file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
const total = sizes.reduce((sum, size) => sum + size, 0);

console.log(`initial JavaScript: ${total} of ${INITIAL_BYTES} bytes gzipped (${files.join(", ")})`);
if (files.length === 0 || total > INITIAL_BYTES) {
  console.error("There is no initial JavaScript, or it is over its budget.");
  process.exit(1);
}
