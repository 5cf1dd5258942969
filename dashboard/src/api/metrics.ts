// The figures out of /metrics, for when the event stream is not to be had. Pure.
import type { Figures } from "./types";

interface Line {
  name: string;
  labels: string;
  value: number;
}

function* lines(text: string): Generator<Line> {
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match) yield { name: match[1] ?? "", labels: match[2] ?? "", value: Number(match[3]) };
  }
}

export function figuresOf(text: string): Figures {
  const single = new Map<string, number>();
  const cumulative: number[] = [];
  for (const { name, labels, value } of lines(text)) {
    if (name === "covey_task_latency_seconds_bucket") cumulative.push(value);
    else if (name === "covey_tasks_completed_total") single.set(labels.includes('"ok"') ? "ok" : "failed", value);
    else if (labels === "") single.set(name, value);
  }
  const get = (name: string) => single.get(name) ?? 0;
  return {
    tasks: {
      unfinished: get("covey_tasks_unfinished"),
      ready: get("covey_queue_depth"),
      assigned: get("covey_tasks_assigned"),
      submitted: get("covey_tasks_submitted_total"),
      completed: get("ok"),
      failed: get("failed"),
      requeued: get("covey_tasks_requeued_total"),
    },
    engines: {
      live: get("covey_engines"),
      slots: get("covey_slots"),
      busy_slots: get("covey_slots_busy"),
      lost: get("covey_engines_lost_total"),
    },
    latency: { buckets: cumulative.map((value, i) => value - (cumulative[i - 1] ?? 0)) },
  };
}
