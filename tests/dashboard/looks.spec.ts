// How each view looks, in light and dark, on a desk and on a phone: no rule of axe-core broken, nothing sticking out; a picture of each.
import { type Page } from "@playwright/test";
import type { Cluster } from "./cluster";
import { expect, expectAccessible, expectNoOverflow, picture, test, turnTo } from "./fixtures";

const kSizes = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

interface Seeded {
  task: string;
  failed: string;
  engine: string;
  benchmark: string;
}

let seeded: Seeded | undefined;

// Something of each kind: a benchmark, a running and an ended map, tasks in several states.
async function seed(cluster: Cluster): Promise<Seeded> {
  if (seeded) return seeded;
  const { id: benchmark } = await cluster.ask<{ id: string }>("POST", "v1/benchmarks", { experiment: "latency", n: [1, 16] });
  await expect.poll(async () => (await cluster.ask<{ state: string }>("GET", `v1/benchmarks/${benchmark}`)).state).toBe("completed");
  await cluster.ask("POST", "v1/maps", { function: "sleep", inputs: [0.01, 0.02, "soon", 0.01], id: "mixed" });
  await cluster.ask("POST", "v1/maps", { function: "sleep", inputs: Array.from({ length: 20_000 }, () => 0.05), id: "long", label: "a long one" });
  await cluster.put({ function: "echo", args: ["never"], labels: ["gpu=a100"], label: "waits for a GPU", priority: 5 });
  const { id: task } = await cluster.run({ function: "exec", args: [["sh", "-c", "echo 42; echo careful >&2"]], label: "program", priority: 9 });
  const { id: failed } = await cluster.run({ function: "fail", args: ["the disk is full"], retries: 2, retry_delay: 0.05, priority: 9 });
  const { engines } = await cluster.ask<{ engines: { id: string }[] }>("GET", "v1/engines");
  seeded = { task, failed, engine: engines[0]?.id ?? "", benchmark };
  return seeded;
}

test.afterAll(async ({ cluster }) => {
  if (seeded) await cluster.ask("DELETE", "v1/maps/long");
});

const kPlaces: [string, (seeds: Seeded) => string, (page: Page) => Promise<void>][] = [
  ["overview", () => "/", async (page) => {
    await expect(page.getByRole("region", { name: "Running maps" })).toBeVisible();
    await expect(page.locator(".link")).toHaveText("Live");
    await expect(page.locator(".tiles .value").first()).toHaveText(/\d/);
    await expect(page.getByRole("region", { name: "Engines" })).toContainText("busy");
    await expect(page.getByRole("region", { name: "Queues" }).locator("tbody tr")).toHaveCount(2);
  }],
  ["engines", () => "/engines", (page) => expect(page.locator("tbody tr")).toHaveCount(4)],
  ["engine", (seeds) => `/engines/${seeds.engine}`, (page) => expect(page.getByText("Functions")).toBeVisible()],
  ["tasks", () => "/tasks", (page) => expect(page.locator("tbody tr").first()).toBeVisible()],
  ["task", (seeds) => `/tasks/${seeds.task}`, (page) => expect(page.getByRole("heading", { name: "stderr" })).toBeVisible()],
  ["failed-task", (seeds) => `/tasks/${seeds.failed}`, (page) => expect(page.getByText("the disk is full").first()).toBeVisible()],
  ["maps", () => "/maps", (page) => expect(page.locator("tbody tr")).toHaveCount(2)],
  ["benchmarks", () => "/benchmarks", (page) => expect(page.locator("tbody tr").first()).toBeVisible()],
  ["benchmark", (seeds) => `/benchmarks/${seeds.benchmark}`, (page) => expect(page.locator("tbody tr")).toHaveCount(6)],
  ["map", () => "/maps/long", (page) => expect(page.locator("tbody tr").first()).toBeVisible()],
];

for (const scheme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(kSizes)) {
    test(`every view reads well in ${scheme}, on a ${size}`, async ({ dash, cluster }) => {
      const seeds = await seed(cluster);
      await dash.emulateMedia({ colorScheme: scheme });
      await dash.setViewportSize(viewport);
      for (const [name, place, shown] of kPlaces) {
        await turnTo(dash, cluster, place(seeds));
        await shown(dash);
        await expectNoOverflow(dash);
        await expectAccessible(dash);
        await picture(dash, `${name}-${size}-${scheme}`);
      }
    });
  }
}

test("the sign-in form reads well", async ({ page, cluster, watched: _ }) => {
  await page.goto(cluster.url);
  await expect(page.getByLabel("Token")).toBeFocused();
  await expectAccessible(page);
  await picture(page, "sign-in");
});
