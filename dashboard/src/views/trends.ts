// The charts of the last five minutes: throughput, latency, queue.
import { Chart } from "../charts/chart";
import { count, duration, rate, short } from "../format";
import type { Sample, State } from "../store/state";
import { h } from "../ui/dom";

export function trends(): { element: HTMLElement; update(state: State): void; stop(): void } {
  const throughput = new Chart({
    title: "Throughput",
    lines: [{ title: "succeeded", colour: "--accent", fill: true }, { title: "failed", colour: "--bad" }],
    format: rate,
    axisFormat: short,
  });
  const latency = new Chart({
    title: "Latency, submission to end",
    lines: [{ title: "median", colour: "--accent" }, { title: "99 %", colour: "--muted", dash: [4, 3] }],
    format: duration,
    least: 1e-3,
  });
  const queue = new Chart({
    title: "Tasks not ended",
    lines: [{ title: "in the queue", colour: "--accent", fill: true }, { title: "with engines", colour: "--muted" }],
    format: (value) => (value === undefined ? "–" : count(value)),
    axisFormat: short,
  });
  let shown: readonly Sample[] | undefined;
  return {
    element: h("div", { class: "charts" }, throughput.element, latency.element, queue.element),
    update: ({ samples }) => {
      if (samples === shown) return;
      shown = samples;
      const now = samples.at(-1)?.at ?? 0;
      const x = samples.map((sample) => (sample.at - now) / 1000);
      throughput.show(x, [samples.map((sample) => sample.ok), samples.map((sample) => sample.failed)]);
      latency.show(x, [samples.map((sample) => sample.p50), samples.map((sample) => sample.p99)]);
      queue.show(x, [samples.map((sample) => sample.ready), samples.map((sample) => sample.assigned)]);
    },
    stop: () => [throughput, latency, queue].forEach((chart) => chart.stop()),
  };
}
