// Fails when the JavaScript that the first page needs exceeds its budget, compressed.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const INITIAL_BYTES = 200_000;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const initial = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (!chunk || initial.has(chunk.file)) return;
  initial.add(chunk.file);
  for (const imported of chunk.imports ?? []) visit(imported);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
const total = [...initial].filter((file) => file.endsWith(".js")).reduce((sum, file) => sum + size(file), 0);
console.log(`initial JavaScript: ${total} of ${INITIAL_BYTES} bytes gzipped (${[...initial].join(", ")})`);
if (total === 0 || total > INITIAL_BYTES) {
  console.error("The initial JavaScript is empty or over its budget.");
  process.exit(1);
}
