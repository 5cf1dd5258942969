// How a task stands and what became of it, in words. Pure.
import type { Task } from "../api/types";
import { count, duration, kNothing, plural, time, words } from "../format";

// What its mark looks like: its state while it is unfinished, then how it ended.
export function markOf(task: Pick<Task, "state" | "status">): { text: string; state: string } {
  if (task.state !== "completed" || !task.status) return { text: words(task.state), state: task.state };
  const state = task.status === "ok" || task.status === "cancelled" ? task.status : "failed";
  return { text: words(task.status), state };
}

export const isUnfinished = (task: Pick<Task, "state">): boolean => task.state !== "completed" && task.state !== "dropped";

// How long it has run, or has been waiting for its end.
export function tookOf(task: Task): string {
  if (task.took_s !== undefined) return duration(task.took_s);
  if (task.duration_us !== undefined) return duration(task.duration_us / 1e6);
  return isUnfinished(task) && task.since_s !== undefined ? `${duration(task.since_s)} so far` : kNothing;
}

export interface Step {
  what: string;
  when: string;
  detail: string;
}

// From the oldest to the latest, as far as it is known.
export function storyOf(task: Task, why: string | undefined, engineName: (id: string) => string): Step[] {
  const steps: Step[] = [{ what: "Submitted", when: time(task.submitted), detail: waitsFor(task) }];
  const attempts = task.attempts ?? 0;
  if (attempts > 1) steps.push({ what: `${plural(attempts - 1, "attempt")} before`, when: "", detail: "An earlier run failed, or its engine was lost; the latest attempt is the next step." });
  const on = task.engine ? `On ${engineName(task.engine)}` : "";
  if (task.started) steps.push({ what: attempts > 1 ? `Attempt ${count(attempts)} began` : "Began", when: time(task.started), detail: on });
  else if (task.state === "assigned") steps.push({ what: "Handed to an engine", when: "", detail: on });
  if (isUnfinished(task)) steps.push({ what: `Now ${words(task.state)}`, when: "", detail: why ? sentence(why) : "" });
  else if (task.status) steps.push({ what: `Ended: ${words(task.status)}`, when: endOf(task), detail: endDetail(task, task.started ? "" : on) });
  return steps;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function waitsFor(task: Task): string {
  const after = task.after?.length ?? 0, follow = task.follow?.length ?? 0;
  const parts = [after > 0 && `after ${plural(after, "task")}`, follow > 0 && `where ${plural(follow, "task")} ran`];
  return parts.filter(Boolean).join(", ");
}

function endOf(task: Task): string {
  if (!task.started || task.duration_us === undefined) return "";
  return time(new Date(new Date(task.started).getTime() + task.duration_us / 1000).toISOString());
}

function endDetail(task: Task, on: string): string {
  const parts = [
    on,
    task.duration_us !== undefined && `ran for ${duration(task.duration_us / 1e6)}`,
    task.took_s !== undefined && `took ${duration(task.took_s)} from its submission`,
  ];
  return parts.filter(Boolean).join(", ");
}

// ---- what it gave ----

const kMostText = 20_000;

export function cut(text: string): string {
  return text.length <= kMostText ? text : `${text.slice(0, kMostText)}\n… and ${count(text.length - kMostText)} characters more`;
}

export function valueText(task: Pick<Task, "value" | "value_base64" | "value_kept" | "value_bytes" | "status">): string | undefined {
  if (task.value_kept === false) return "The value is not kept any more.";
  if (task.value !== undefined) return cut(typeof task.value === "string" ? task.value : JSON.stringify(task.value, null, 2));
  if (task.value_base64 !== undefined) return cut(`${task.value_base64}\n(bytes, in base64)`);
  if (task.value_bytes !== undefined) return `A value of ${count(task.value_bytes)} bytes, which is too long to be shown here.`;
  return undefined;
}

// What a run printed; the end of it, where it was much.
export function outputsOf(task: Task): { title: string; text: string }[] {
  return (["stdout", "stderr"] as const)
    .map((name) => ({ title: task[`${name}_truncated`] ? `${name}, its end` : name, text: task[name] ?? task[`${name}_base64`] ?? "" }))
    .filter(({ text }) => text !== "")
    .map(({ title, text }) => ({ title, text: cut(text) }));
}
