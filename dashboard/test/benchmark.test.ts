import { describe, expect, it } from "vitest";
import { cellText, isRunning, markOf, numbersOf, plotsOf, requestOf } from "../src/views/benchmark_model";

const row = (n: number, more = {}) => ({ experiment: "latency", n, roundtrip_s: n / 1000, roundtrip_tasks_per_s: 1000, sent_tasks_per_s: 2000, ...more });

describe("a benchmark", () => {
  it("is asked for with its numbers", () => {
    expect(numbersOf("1, 4 16,64")).toEqual([1, 4, 16, 64]);
    expect(requestOf("map", [1, 4])).toEqual({ experiment: "map", dt: [1, 4] });
    expect(requestOf("throughput", [1024])).toEqual({ experiment: "throughput", bytes: [1024] });
  });
  it("says what is wrong with its numbers", () => {
    expect(numbersOf("1, many")).toContain("many");
    expect(numbersOf("0")).toContain("0");
    expect(numbersOf(" ")).toContain("one number");
  });
  it("runs until it has ended in some way", () => {
    expect(["running", "completed", "failed", "cancelled"].map((state) => isRunning({ state }))).toEqual([true, false, false, false]);
    expect(["running", "completed", "failed", "cancelled"].map((state) => markOf({ state }))).toEqual(["running", "ok", "failed", "cancelled"]);
  });
});

describe("its plots", () => {
  it("grow with the rows, in the order of x", () => {
    expect(plotsOf("latency", []).map(({ x }) => x)).toEqual([[], []]);
    const [tasks, times] = plotsOf("latency", [row(16), row(1)]);
    expect(tasks?.x).toEqual([1, 16]);
    expect(tasks?.lines.map(({ values }) => values)).toEqual([[1000, 1000], [2000, 2000]]);
    expect(times?.lines[0]?.values).toEqual([0.001, 0.016]);
  });
  it("leave out rows of other experiments and without figures", () => {
    const rows = [row(1), { experiment: "limits", n: 4, roundtrip_tasks_per_s: 9 }, { experiment: "latency", mode: "sequential", n: 5, p50_us: 3 }];
    expect(plotsOf("latency", rows)[0]?.x).toEqual([1]);
  });
  it("are those of the experiment, and none of one that is not known", () => {
    expect(plotsOf("map", [{ experiment: "map", dt: 0.004, efficiency: 0.9 }])[0]?.lines[0]?.values).toEqual([0.9]);
    expect(plotsOf("dance", [])).toEqual([]);
  });
});

describe("a cell", () => {
  it("has the unit of its field", () => {
    const plain = (text: string) => text.replace(/\u202F/g, " ");
    expect([cellText("bytes", 2048), cellText("dt", 0.004), cellText("p50_us", 120), cellText("efficiency", 0.5), cellText("scheme", "direct"), cellText("n", undefined)].map(plain)).toEqual(
      ["2.00 KiB", "4.00 ms", "120 µs", "50.0 %", "direct", "–"]);
    expect(plain(cellText("roundtrip_tasks_per_s", 12_345.5))).toBe("12.3 k");
  });
});
