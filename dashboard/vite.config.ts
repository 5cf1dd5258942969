// Builds the page into dist/, which the controller's executable embeds. Nothing is inlined: the page's policy forbids it.
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
