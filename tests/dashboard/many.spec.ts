// A thousand engines, a hundred thousand tasks: it stays readable, and as quick as a page of them. The tasks are real; of the
// engines the page is told by the test, in the shape of a real one.
import { expect, expectAccessible, expectNoOverflow, picture, test, turnTo } from "./fixtures";

const kEngines = 1000;
const kTasks = 100_000;

test("a thousand engines are a page to search and to sort", async ({ page, cluster, watched: _ }) => {
  const { engines } = await cluster.ask<{ engines: Record<string, unknown>[] }>("GET", "v1/engines");
  const many = Array.from({ length: kEngines }, (_, i) => ({
    ...engines[0], id: i.toString(16).padStart(16, "0"), name: `rack-${i % 40}/${i}`, slots: 4, tasks: i % 5, completed: i * 1000,
    state: i % 50 === 7 ? "draining" : i % 5 > 0 ? "busy" : "idle", idle_s: i % 5 > 0 ? 0 : i,
  }));
  await page.route("**/v1/engines?*", (route) => route.fulfill({ json: { engines: many } }));
  await page.goto(cluster.address);
  await expect(page.getByRole("img", { name: /busy/ })).toBeVisible();
  await expect(page.locator(".chart").first().locator("b").first()).toHaveText(/\d/);
  await picture(page, "thousand-engines-overview");
  await turnTo(page, cluster, "/engines");
  await expect(page.getByText(/1 to 50 of 1000 engines/)).toBeVisible();
  expect(await page.locator("tbody tr").count()).toBe(50);
  await page.getByRole("button", { name: "Completed" }).click();
  await page.getByRole("button", { name: "Completed" }).click();
  await expect(page.locator("tbody tr").first()).toContainText(`/${kEngines - 1}`);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByText(/51 to 100 of 1000 engines/)).toBeVisible();
  await page.getByLabel("State").selectOption("draining");
  await expect(page.getByText("20 engines", { exact: true })).toBeVisible();
  await page.getByLabel("State").selectOption("all");
  await expectAccessible(page);
  await picture(page, "thousand-engines", false);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoOverflow(page);
  await picture(page, "thousand-engines-phone", false);
});

test("a hundred thousand tasks are pages, and each is found", async ({ dash, cluster }) => {
  await cluster.ask("POST", "v1/maps", { function: "echo", range: { stop: kTasks }, labels: ["gpu=none"], label: "many", id: "many" });
  await expect.poll(async () => (await cluster.ask<{ backlog: number }>("GET", "v1/demand")).backlog).toBeGreaterThanOrEqual(kTasks);
  await turnTo(dash, cluster, "/tasks?label=many");
  await expect(dash.getByText("Page 1: 100 tasks")).toBeVisible();
  expect(await dash.locator("tbody tr").count()).toBe(100);
  const first = await dash.locator("tbody th").first().textContent();
  await dash.getByRole("button", { name: "Next" }).click();
  await expect(dash.getByText("Page 2: 100 tasks")).toBeVisible();
  expect(await dash.locator("tbody th").first().textContent()).not.toBe(first);
  await picture(dash, "many-tasks", false);
  await dash.getByRole("button", { name: "Previous" }).click();
  await expect(dash.locator("tbody th").first()).toHaveText(first ?? "");
  // One that stands behind all of them.
  const { id } = await cluster.run({ function: "echo", args: ["here"], label: "the last" });
  await dash.getByLabel("Label").fill("the last");
  await dash.getByLabel("Label").press("Enter");
  await expect(dash.getByRole("link", { name: id })).toBeVisible();
  await dash.getByLabel("Open").fill(id);
  await dash.getByLabel("Open").press("Enter");
  await expect(dash.getByText("Ended: ok")).toBeVisible();
  await cluster.ask("DELETE", "v1/maps/many");
});
