// Writes src/api/generated/schema.ts from the checked-in API document; --check fails when it is stale.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../openapi/bwmon-v1.json", import.meta.url);
const target = fileURLToPath(new URL("../src/api/generated/schema.ts", import.meta.url));

if (!existsSync(document)) {
  console.error("openapi/bwmon-v1.json is missing: it is written by the server's tests and checked in.");
  process.exit(1);
}
const header = "// Generated from openapi/bwmon-v1.json by `npm run generate`; do not edit.\n\n";
const fresh = header + astToString(await openapiTS(document));

if (!process.argv.includes("--check")) {
  writeFileSync(target, fresh);
} else if (!existsSync(target) || readFileSync(target, "utf8") !== fresh) {
  console.error("src/api/generated/schema.ts does not match openapi/bwmon-v1.json: run `npm run generate`.");
  process.exit(1);
}
