// What a person does with the dashboard, and what the cluster then does.
import type { Locator } from "@playwright/test";
import { expect, picture, test, turnTo } from "./fixtures";

test("figures and engines are live, without a reload", async ({ dash, cluster }) => {
  await expect(dash.locator(".link")).toHaveText("Live");
  const succeeded = dash.locator(".tiles > div", { hasText: "Throughput" }).locator(".note");
  const before = Number.parseInt((await succeeded.textContent()) ?? "0", 10) || 0;
  await cluster.ask("POST", "v1/tasks?wait=60s", Array.from({ length: 50 }, () => ({ function: "echo", args: [1] })));
  await expect.poll(async () => Number.parseInt((await succeeded.textContent()) ?? "", 10)).toBeGreaterThanOrEqual(before + 50);
  // The chart draws what ended between two samples, so it needs tasks after the first one.
  await expect(async () => {
    await cluster.ask("POST", "v1/tasks?wait=60s", { function: "echo", args: [1] });
    await expect(dash.locator(".chart").filter({ hasText: "Latency" }).locator("b").first()).toHaveText(/[µm]?s/, { timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
});

test("a token that is wrong is refused, and the right one opens", async ({ page, cluster, watched: _ }) => {
  await page.goto(cluster.url);
  await page.getByLabel("Token").fill("this-is-not-a-token");
  await page.getByRole("button", { name: "Open" }).click();
  await expect(page.getByRole("alert")).toContainText("token");
  await page.getByLabel("Token").fill(cluster.token);
  await page.getByLabel("Token").press("Enter");
  await expect(page.getByRole("navigation", { name: "Views" })).toBeVisible();
  expect(page.url()).not.toContain(cluster.token);
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Views" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Token")).toBeFocused();
});

test("an engine is drained and resumed", async ({ dash, cluster }) => {
  await turnTo(dash, cluster, "/engines");
  const row = dash.locator("tbody tr").first();
  const name = (await row.locator("th").textContent()) ?? "";
  await expect(row).toContainText("MiB"); // of memory
  await dash.getByRole("button", { name: `Drain ${name}` }).click();
  await expect(dash.locator("tbody tr", { hasText: name })).toContainText("draining");
  await expect(dash.getByRole("status").filter({ hasText: "takes no more tasks" })).toBeVisible();
  const states = async () => (await cluster.ask<{ engines: { name: string; state: string }[] }>("GET", "v1/engines")).engines.find((engine) => engine.name === name)?.state;
  expect(await states()).toBe("draining");
  await dash.getByRole("button", { name: `Resume ${name}` }).click();
  await expect.poll(states).toBe("idle");
  await dash.getByLabel("Search").fill("no such engine");
  await expect(dash.getByText("No engine fits this search.")).toBeVisible();
});

test("an engine that is stopped leaves, and another one takes its place", async ({ dash, cluster }) => {
  const { engines } = await cluster.ask<{ engines: { id: string; name: string }[] }>("GET", "v1/engines");
  const engine = engines[0] ?? { id: "", name: "" };
  await turnTo(dash, cluster, `/engines/${engine.id}`);
  await dash.getByRole("button", { name: "Stop engine" }).click();
  await expect(dash.getByRole("button", { name: "Keep it" })).toBeFocused();
  await picture(dash, "confirmation", false);
  await dash.getByRole("button", { name: "Stop it" }).click();
  await expect(dash.getByText("No engine with this id is here now.")).toBeVisible();
});

test("a task that waits says why, and can be cancelled", async ({ dash, cluster }) => {
  const { id } = await cluster.put({ function: "echo", args: ["x"], labels: ["gpu=none"], label: "stuck" });
  await turnTo(dash, cluster, "/tasks");
  await dash.getByLabel("Label").fill("stuck");
  await dash.getByLabel("Label").press("Enter");
  await dash.getByRole("link", { name: id }).click();
  await expect(dash.locator("#title")).toBeFocused();
  await expect(dash.getByText("No engine has the labels it wants: gpu=none.")).toBeVisible();
  await dash.getByRole("button", { name: "Cancel", exact: true }).click();
  await dash.getByRole("button", { name: "Cancel it" }).click();
  await expect(dash.getByText("Ended: cancelled")).toBeVisible();
  expect((await cluster.ask<{ status: string }>("GET", `v1/tasks/${id}`)).status).toBe("cancelled");
});

test("a task that runs is followed to its end, and run again", async ({ dash, cluster }) => {
  const { id } = await cluster.put({ function: "sleep", args: [2] });
  await turnTo(dash, cluster, `/tasks/${id}`);
  await expect(dash.getByText(/Now (assigned|ready)/)).toBeVisible();
  await expect(dash.getByText("Ended: ok")).toBeVisible();
  await dash.getByRole("button", { name: "Run again" }).click();
  await expect.poll(() => dash.url()).not.toContain(id);
  await expect(dash.getByText("Ended: ok")).toBeVisible();
});

test("a program that fails shows what it printed", async ({ dash, cluster }) => {
  const { id } = await cluster.run({ function: "exec", args: [["sh", "-c", "echo halfway; echo no space left >&2; exit 3"]] });
  await turnTo(dash, cluster, `/tasks/${id}`);
  await expect(dash.getByRole("region", { name: "Error" })).toContainText("exit code 3");
  await expect(dash.getByRole("region", { name: "stdout" })).toContainText("halfway");
  await expect(dash.getByRole("region", { name: "stderr" })).toContainText("no space left");
});

test("what tasks say is text and never markup", async ({ dash, cluster }) => {
  const { id } = await cluster.run({ function: "fail", args: ["<img src=x onerror=alert(1)><b id=bold>no</b>"], label: "<i>label</i>" });
  await turnTo(dash, cluster, `/tasks/${id}`);
  await expect(dash.getByText("<img src=x onerror=alert(1)>").first()).toBeVisible();
  expect(await dash.locator("#bold, i:text('label')").count()).toBe(0);
});

test("a map's progress is seen, and it is cancelled", async ({ dash, cluster }) => {
  await cluster.ask("POST", "v1/maps", { function: "sleep", inputs: Array.from({ length: 4000 }, () => 0.05), id: "to-cancel" });
  await turnTo(dash, cluster, "/maps/to-cancel");
  const bar = dash.getByRole("progressbar", { name: "Progress of this map" });
  await expect.poll(async () => Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThanOrEqual(1);
  await expect(dash.locator("tbody tr").first()).toContainText("ok");
  await dash.getByRole("button", { name: "Cancel", exact: true }).click();
  await dash.getByRole("button", { name: "Cancel it" }).click();
  await expect(dash.getByRole("heading", { name: "Maps" })).toBeVisible();
  await expect.poll(async () => (await cluster.ask<{ backlog: number }>("GET", "v1/demand")).backlog).toBe(0);
  await expect(dash.getByRole("link", { name: "to-cancel" })).toHaveCount(0);
});

test("the keyboard alone is enough", async ({ dash, cluster }) => {
  await turnTo(dash, cluster, "/");
  await dash.keyboard.press("Tab");
  await expect(dash.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await dash.keyboard.press("Tab");
  await dash.keyboard.press("Tab");
  await expect(dash.getByRole("link", { name: "Engines" })).toBeFocused();
  await dash.keyboard.press("Enter");
  await expect(dash.locator("#title")).toBeFocused();
  await dash.keyboard.press("Tab"); // the search
  await dash.keyboard.press("Tab"); // the states
  await dash.keyboard.press("Tab"); // the table, which may scroll
  await dash.keyboard.press("Tab");
  await expect(dash.getByRole("button", { name: "Engine", exact: true })).toBeFocused();
  await dash.keyboard.press("Space");
  await expect(dash.getByRole("columnheader", { name: "Engine" })).toHaveAttribute("aria-sort", "ascending");
  await dash.keyboard.press("Space");
  await expect(dash.getByRole("columnheader", { name: "Engine" })).toHaveAttribute("aria-sort", "descending");
});

test("the reader's choice of colours stays", async ({ dash }) => {
  const background = () => dash.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await dash.getByLabel("Colours").selectOption("dark");
  const dark = await background();
  await dash.getByLabel("Colours").selectOption("light");
  expect(await background()).not.toBe(dark);
  await dash.reload();
  await expect(dash.getByLabel("Colours")).toHaveValue("light");
});

test("without the controller it says so, and goes on once it is back", async ({ dash, watched }) => {
  await dash.route("**/*", (route) => route.abort());
  await dash.evaluate(() => window.dispatchEvent(new Event("offline")));
  await dash.goto(`${new URL(dash.url()).origin}/#/tasks`);
  await expect(dash.getByRole("alert").filter({ hasText: "The controller does not answer" }).first()).toBeVisible();
  await dash.unroute("**/*");
  await expect(dash.getByText("The controller does not answer")).toHaveCount(0);
  watched.complaints.length = 0; // the browser's own, of what it could not load
});

test("a benchmark is started, draws its plots while it runs, and ends", async ({ dash, cluster }) => {
  await turnTo(dash, cluster, "/benchmarks");
  await dash.getByLabel("Experiment").selectOption("Map");
  await dash.getByLabel("Milliseconds of each sleep").fill("1, many");
  await dash.getByRole("button", { name: "Start" }).click();
  await expect(dash.getByRole("alert").filter({ hasText: "many" })).toBeVisible();
  await dash.getByLabel("Milliseconds of each sleep").fill("1, 16, 10000");
  await dash.getByRole("button", { name: "Start" }).click();

  // The first points are drawn while the last sleeps go on.
  const drawn = dash.locator(".chart").filter({ hasText: "Efficiency" });
  await expect(dash.locator("dd", { hasText: /^[12] of 3 rows$/ })).toBeVisible();
  await expect(drawn.locator("b")).toHaveText(/%/);
  expect(await inkOf(drawn.locator("canvas"))).toBeGreaterThan(0);
  await expect(dash.getByText("running", { exact: true })).toBeVisible();

  await expect(dash.getByText("3 of 3 rows")).toBeVisible();
  await expect(dash.getByText("completed", { exact: true })).toBeVisible();
  await expect(dash.getByRole("progressbar", { name: "Progress of this benchmark" })).toHaveAttribute("aria-valuenow", "100");
  await expect(dash.getByRole("table", { name: "Figures of the benchmark" }).locator("tbody tr")).toHaveCount(3);
  await picture(dash, "benchmark");
  const id = dash.url().split("/").pop() ?? "";
  const told = await cluster.ask<{ state: string; rows: { experiment: string; dt: number }[] }>("GET", `v1/benchmarks/${id}`);
  expect(told.state).toBe("completed");
  expect(told.rows.map(({ dt }) => dt)).toEqual([0.001, 0.016, 10]);
  await turnTo(dash, cluster, "/benchmarks");
  await expect(dash.locator("tbody tr", { hasText: id })).toContainText("3 of 3");
});

test("a benchmark that runs is cancelled with its tasks, and forgotten", async ({ dash, cluster }) => {
  const unfinished = async () => (await cluster.ask<{ unfinished: number }>("GET", "v1/queues")).unfinished;
  const before = await unfinished();
  await turnTo(dash, cluster, "/benchmarks");
  await dash.getByLabel("Experiment").selectOption("Map");
  await dash.getByLabel("Milliseconds of each sleep").fill("10000, 10000, 10000");
  await dash.getByRole("button", { name: "Start" }).click();
  await expect(dash.getByText(/^map controller/)).toBeVisible();
  await expect.poll(unfinished).toBeGreaterThan(before);
  await dash.getByRole("button", { name: "Cancel", exact: true }).click();
  await dash.getByRole("button", { name: "Cancel it" }).click();
  await expect(dash.getByText("cancelled", { exact: true })).toBeVisible();
  await expect.poll(unfinished).toBe(before);
  const id = dash.url().split("/").pop() ?? "";
  await dash.getByRole("button", { name: "Forget" }).click();
  await dash.getByRole("button", { name: "Forget it" }).click();
  await expect(dash.getByRole("heading", { name: "Benchmarks" })).toBeVisible();
  await expect(dash.locator("tbody tr", { hasText: id })).toHaveCount(0);
});

// How much of a plot has been drawn upon.
function inkOf(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    return pixels.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
}
