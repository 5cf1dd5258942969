import { describe, expect, it } from "vitest";
import { figuresOf } from "../src/api/metrics";
import type { CoveyMap, Engine, Figures } from "../src/api/types";
import { difference, percentile } from "../src/store/latency";
import { FigureHistory, initial, kSamples, withEngines, withFigures, withMap, withMaps } from "../src/store/state";

function figures(completed: number, failed = 0, buckets: number[] = []): Figures {
  const tasks = { unfinished: 5, ready: 3, assigned: 2, submitted: 10, completed, failed, requeued: 0 };
  return { tasks, engines: { live: 1, slots: 1, busy_slots: 1, lost: 0 }, latency: { buckets } };
}

function engine(completed: number): Engine {
  return { id: "e", name: "one", state: "busy", slots: 1, tasks: 1, credit: 4, completed, mean_run_us: 5, up_s: 1, idle_s: 0, labels: [], functions: [] };
}

describe("FigureHistory", () => {
  it("makes rates of counters", () => {
    const history = new FigureHistory();
    expect(history.take(figures(100), 0)).toBeUndefined();
    expect(history.take(figures(150, 5), 500)).toMatchObject({ at: 500, ok: 100, failed: 10, ready: 3, assigned: 2 });
  });
  it("takes what a resumed stream brings at once as one", () => {
    const history = new FigureHistory();
    history.take(figures(0), 0);
    expect(history.take(figures(10), 20)).toBeUndefined();
    expect(history.take(figures(50), 500)?.ok).toBe(100);
  });
  it("begins anew with another controller, whose counters are lower", () => {
    const history = new FigureHistory();
    history.take(figures(1000), 0);
    expect(history.take(figures(3), 500)).toBeUndefined();
    expect(history.take(figures(8), 1000)?.ok).toBe(10);
  });
  it("tells the latency of the latest five seconds", () => {
    const history = new FigureHistory();
    history.take(figures(0, 0, [0, 0, 0]), 0);
    expect(history.take(figures(4, 0, [0, 4, 0]), 500)?.p50).toBeCloseTo(1.5e-6);
  });
  it("keeps five minutes", () => {
    let state = initial;
    const history = new FigureHistory();
    for (let i = 0; i < kSamples + 10; ++i) {
      const now = figures(i);
      state = withFigures(state, now, history.take(now, i * 500));
    }
    expect(state.samples).toHaveLength(kSamples);
    expect(state.samples.at(-1)?.at).toBe((kSamples + 9) * 500);
  });
});

describe("latency", () => {
  it("interpolates within a bucket", () => {
    expect(percentile([0, 0, 10], 0.5)).toBeCloseTo(3e-6);
    expect(percentile([], 0.5)).toBeUndefined();
  });
  it("has no difference where counters went back", () => {
    expect(difference([1, 2], [0, 3])).toEqual([]);
    expect(difference([1, 5], [0, 3])).toEqual([1, 2]);
  });
});

describe("engines", () => {
  it("have a rate from the second look on, unless they began anew", () => {
    const first = withEngines(initial, [engine(10)], 0);
    expect(first.engines.get("e")?.perSecond).toBeUndefined();
    const second = withEngines(first, [engine(30)], 2000);
    expect(second.engines.get("e")?.perSecond).toBe(10);
    expect(withEngines(second, [engine(1)], 4000).engines.get("e")?.perSecond).toBeUndefined();
  });
  it("that have left are gone", () => {
    expect(withEngines(withEngines(initial, [engine(1)], 0), [], 10).engines.size).toBe(0);
  });
});

describe("maps", () => {
  const map = (id: string, completed: number) => ({ id, completed, state: "running" }) as CoveyMap;
  it("are replaced in their place, and new ones come first", () => {
    const state = withMap(withMap(withMaps(initial, [map("a", 1), map("b", 1)]), map("b", 2)), map("c", 0));
    expect(state.maps?.map(({ id, completed }) => [id, completed])).toEqual([["c", 0], ["a", 1], ["b", 2]]);
  });
});

describe("figures out of the metrics", () => {
  it("are those of the event stream", () => {
    const text = [
      "# HELP covey_engines Engines", "covey_engines 4", "covey_slots 8", "covey_slots_busy 3", "covey_engines_lost_total 1",
      'covey_tasks_completed_total{status="ok"} 7', 'covey_tasks_completed_total{status="failed"} 2', "covey_queue_depth 9",
      'covey_task_latency_seconds_bucket{le="1e-06"} 1', 'covey_task_latency_seconds_bucket{le="2e-06"} 4', 'covey_task_latency_seconds_bucket{le="+Inf"} 4',
    ].join("\n");
    expect(figuresOf(text)).toMatchObject({
      tasks: { ready: 9, completed: 7, failed: 2 },
      engines: { live: 4, slots: 8, busy_slots: 3, lost: 1 },
      latency: { buckets: [1, 3, 0] },
    });
  });
});
