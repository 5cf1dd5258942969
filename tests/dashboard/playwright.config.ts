// Drives Debian's Chromium; downloads no browser. Screenshots and what failed are kept in build/dashboard, outside of the sources.
import { defineConfig } from "@playwright/test";

const kept = process.env["COVEY_ARTEFACTS"] ?? "../../build/dashboard";

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: `${kept}/failures`,
  forbidOnly: true,
  workers: 1, // they share a machine with their cluster's engines
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["COVEY_CHROMIUM"] ?? "/usr/bin/chromium",
      // Root cannot have Chromium's sandbox, and a container's /dev/shm is small.
      args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage"],
    },
  },
});
