// What a map is at, in words. Pure.
import type { CoveyMap, MapResult } from "../api/types";
import { bytes, count, duration, kNothing, percent, rate } from "../format";
import { isOver } from "../store/state";

export function progressText(map: CoveyMap): string {
  const failed = map.failed > 0 ? `, ${count(map.failed)} failed` : "";
  if (map.state === "feeding") return `${count(map.completed)} of ${count(map.inputs)} so far${failed}`;
  return `${count(map.completed)} of ${count(map.inputs)} (${percent(map.completed, map.inputs)})${failed}`;
}

export function speedText(map: CoveyMap): string {
  return rate(isOver(map) ? map.mean_per_s : (map.rate_per_s ?? map.mean_per_s));
}

export function leftText(map: CoveyMap): string {
  if (isOver(map)) return `took ${duration(map.elapsed_s)}`;
  if (map.state === "feeding") return "inputs still come";
  return map.left_s === undefined ? kNothing : `${duration(map.left_s)} left`;
}

// A completed map with failures is not quite what was wanted.
export function stateOf(map: CoveyMap): { text: string; state: string } {
  if (map.state === "completed") return map.failed > 0 ? { text: "completed, with failures", state: "failed" } : { text: "completed", state: "ok" };
  return { text: map.state, state: map.state };
}

const kMostText = 300;

export function shortValue(result: Pick<MapResult, "error" | "value" | "value_base64" | "value_bytes" | "value_kept">): string {
  if (result.value_kept === false) return "not kept any more";
  if (result.value_bytes !== undefined) return `a blob of ${bytes(result.value_bytes)}`;
  const text = result.error ?? (result.value_base64 !== undefined ? "bytes" : JSON.stringify(result.value ?? null));
  return text.length > kMostText ? `${text.slice(0, kMostText)}…` : text;
}
