// What every test has: a cluster of four engines, shared, and a page that is signed in, keeps to its own origin and breaks no policy.
import { type Page, expect, test as base } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Cluster } from "./cluster";

const kPictures = `${process.env["COVEY_ARTEFACTS"] ?? "../../build/dashboard"}/pictures`;
const kAxe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Watched {
  readonly strangers: string[]; // requests to another origin
  readonly complaints: string[]; // of the console: errors, and what the policy has refused
}

export const test = base.extend<{ watched: Watched; dash: Page }, { cluster: Cluster }>({
  cluster: [
    async ({}, use) => {
      const cluster = await Cluster.start(4);
      await use(cluster);
      await cluster.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  watched: async ({ page, cluster }, use) => {
    const watched: Watched = { strangers: [], complaints: [] };
    page.on("request", (request) => {
      if (!request.url().startsWith(cluster.url) && !request.url().startsWith("data:")) watched.strangers.push(request.url());
    });
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) watched.complaints.push(message.text());
    });
    page.on("pageerror", (error) => watched.complaints.push(String(error)));
    await use(watched);
    expect(watched.strangers, "requests that left the page's own origin").toEqual([]);
    expect(watched.complaints, "errors in the page's console").toEqual([]);
  },
  dash: async ({ page, cluster, watched: _ }, use) => {
    await page.goto(cluster.address);
    await expect(page.getByRole("navigation", { name: "Views" })).toBeVisible();
    await use(page);
  },
});

export { expect };

export async function turnTo(page: Page, cluster: Cluster, place: string): Promise<void> {
  await page.goto(`${cluster.url}#${place}`);
  await expect(page.locator("#title")).toBeAttached();
}

export async function picture(page: Page, name: string, whole = true): Promise<void> {
  await page.screenshot({ path: `${kPictures}/${name}.png`, fullPage: whole, animations: "disabled" });
}

interface Violation {
  id: string;
  help: string;
  nodes: { target: unknown; failureSummary?: string }[];
}

// The rules of WCAG 2.2, levels A and AA, and axe's best practices. It runs in the page by the debugger's means, which the page's policy does not bind.
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(kAxe);
  const violations = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run(where: Document): Promise<{ violations: unknown[] }> } }).axe;
    return (await axe.run(document)).violations;
  });
  const told = (violations as Violation[]).map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${String(node.target)} (${node.failureSummary ?? ""})`).join("; ")}`);
  expect.soft(told, "what axe-core finds").toEqual([]);
}

// Nothing sticks out to the side.
export async function expectNoOverflow(page: Page): Promise<void> {
  const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
  expect.soft(scroll, "width of the page").toBeLessThanOrEqual(client);
}
