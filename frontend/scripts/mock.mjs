// Serves dist/ with made-up hosts: npm run mock -- [hosts] [port]
import { runnerImport } from "vite";

const { module } = await runnerImport(new URL("../e2e/mock/server.ts", import.meta.url).pathname);
const [hosts = "8", port = "8000"] = process.argv.slice(2);
const mock = await module.startMock({ hosts: Number(hosts), port: Number(port), stale: [6] });
console.log(`made-up hosts at ${mock.url}`);
