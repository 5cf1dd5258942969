import { describe, expect, it } from "vitest";
import type { CoveyMap, Task } from "../src/api/types";
import { placeOf, sectionOf, taskUrl } from "../src/router";
import { progressText, shortValue, stateOf } from "../src/views/map_words";
import { demandOf } from "../src/views/queues";
import { addressOf, filterOf, isTaskId, requestOf } from "../src/views/task_query";
import { markOf, outputsOf, storyOf, valueText } from "../src/views/task_words";

const kEngine = (id: string) => `name of ${id}`;
const ended: Task = {
  id: "00c0ffee00c0ffee-1", state: "completed", status: "failed", function: "fail", error: "no", attempts: 3, engine: "e",
  submitted: "2030-01-02T03:04:05Z", started: "2030-01-02T03:04:06Z", duration_us: 1500, took_s: 1.2,
};

describe("the story of a task", () => {
  it("goes from its submission over its attempts to its end", () => {
    const steps = storyOf(ended, "it ended as failed", kEngine);
    expect(steps.map(({ what }) => what)).toEqual(["Submitted", "2 attempts before", "Attempt 3 began", "Ended: failed"]);
    expect(steps[2]?.detail).toBe("On name of e");
    expect(steps[3]?.detail).toContain("from its submission");
  });
  it("ends with what an unfinished one waits for", () => {
    const steps = storyOf({ id: "a-1", state: "ready", after: [1, 2] }, "no engine has the labels it wants: gpu=a", kEngine);
    expect(steps.at(-1)).toEqual({ what: "Now ready", when: "", detail: "No engine has the labels it wants: gpu=a." });
    expect(steps[0]?.detail).toBe("after 2 tasks");
  });
  it("marks by how it ended", () => {
    expect(markOf(ended)).toEqual({ text: "failed", state: "failed" });
    expect(markOf({ state: "completed", status: "timed_out" })).toEqual({ text: "timed out", state: "failed" });
    expect(markOf({ state: "assigned" })).toEqual({ text: "assigned", state: "assigned" });
  });
  it("shows values of every kind, cut where they are too long", () => {
    expect(valueText({ value: "text" })).toBe("text");
    expect(valueText({ value: null })).toBe("null");
    expect(valueText({ value_base64: "AA==" })).toContain("base64");
    expect(valueText({ value: null, value_kept: false })).toContain("not kept");
    expect(valueText({ value: "x".repeat(30_000) })).toContain("characters more");
    expect(valueText({})).toBeUndefined();
  });
  it("says in a line what a map's results are", () => {
    expect(shortValue({ value: [1] })).toBe("[1]");
    expect(shortValue({ error: "no" })).toBe("no");
    expect(shortValue({ value: "x".repeat(400) })).toHaveLength(301);
    expect(shortValue({ value_bytes: 2_000_000 })).toMatch(/^a blob of 1\.91/);
    expect(shortValue({ value_bytes: 2_000_000, value_kept: false })).toBe("not kept any more");
  });
  it("has what was printed, also where it is no text or not all of it", () => {
    expect(outputsOf({ ...ended, value: { stdout: "a value of its own" } })).toEqual([]);
    expect(outputsOf({ ...ended, stdout: "hi\n", stdout_truncated: true, stderr_base64: "/w==" })).toEqual(
      [{ title: "stdout, its end", text: "hi\n" }, { title: "stderr", text: "/w==" }]);
  });
});

describe("the filter of tasks", () => {
  it("goes into the address and comes back", () => {
    const filter = { how: "status:failed", function: "a b", label: "x&y", submission: "00c0ffee00c0ffee-1+2" };
    const place = placeOf(addressOf(filter));
    expect(place.view === "tasks" && filterOf(place.filter)).toEqual(filter);
  });
  it("asks for a state, a status, or all", () => {
    const none = filterOf(new URLSearchParams());
    expect(requestOf(none, 100, undefined)).toBe("v1/tasks?limit=100");
    expect(requestOf({ ...none, how: "status:timed_out" }, 5, "c7")).toBe("v1/tasks?limit=5&status=timed_out&cursor=c7");
    expect(requestOf({ ...none, how: "ready", submission: "s+1" }, 5, undefined)).toBe("v1/tasks?limit=5&state=ready&submission=s%2B1");
  });
  it("knows an id", () => {
    expect(["00c0ffee00c0ffee-17", "00c0ffee00c0ffee-0", "17", ""].map(isTaskId)).toEqual([true, false, false, false]);
  });
});

describe("addresses", () => {
  it("name a view, and belong to a section", () => {
    expect(placeOf(taskUrl("00c0ffee00c0ffee-1"))).toEqual({ view: "task", id: "00c0ffee00c0ffee-1" });
    expect(sectionOf(placeOf("#/maps/m"))).toBe("maps");
    expect(placeOf("#/maps/%")).toEqual({ view: "map", id: "%" });
    expect(placeOf("#/nowhere")).toEqual({ view: "overview" });
  });
});

describe("a map", () => {
  const map = { state: "completed", completed: 10, failed: 2, inputs: 10 } as CoveyMap;
  it("that has failures is not just completed", () => {
    expect(stateOf(map).state).toBe("failed");
    expect(stateOf({ ...map, failed: 0 }).state).toBe("ok");
    expect(progressText(map)).toContain("2 failed");
  });
  it("whose inputs still come has no share yet", () => {
    expect(progressText({ ...map, state: "feeding" })).not.toContain("%");
  });
});

describe("a queue", () => {
  it("says what it asks of an engine", () => {
    expect(demandOf({ priority: 0, ready: 1, targets: [], labels: [] })).toBe("any engine");
    expect(demandOf({ priority: 0, ready: 1, targets: ["a", "b"], labels: ["gpu=a"], at_most_once: true })).toBe("one of 2 engines; labels gpu=a; at most once");
  });
});
