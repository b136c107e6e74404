import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const bootPath = fileURLToPath(new URL("src/app/theme-boot.js", import.meta.url));

/** Puts the theme on the document before the first paint: a classic script, since the content security policy forbids inline ones and a module would run too late. */
function themeBoot(): Plugin {
  let reference: string | undefined;
  return {
    name: "bwmon-theme-boot",
    buildStart() {
      if (this.environment.mode === "build") {
        reference = this.emitFile({ type: "asset", name: "theme-boot.js", source: readFileSync(bootPath) });
      }
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const bundled = Object.values(context.bundle ?? {}).find((file) =>
          file.fileName.includes("theme-boot"),
        );
        const src = reference && bundled ? `/${bundled.fileName}` : "/src/app/theme-boot.js";
        return [{ tag: "script", attrs: { src }, injectTo: "head-prepend" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), themeBoot()],
  server: {
    proxy: {
      "/api": { target: `http://127.0.0.1:${process.env.BWMON_PORT ?? "8000"}`, changeOrigin: false },
    },
  },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
