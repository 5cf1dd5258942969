// The filter of the list of tasks, as the form has it, as the address keeps it, and as the API is asked. Pure.

export const kUnfinishedStates = ["waiting", "delayed", "ready", "assigned", "held"] as const;
export const kStatuses = [
  "ok", "failed", "cancelled", "timed_out", "dependency_failed", "engine_died", "engine_lost", "outcome_unknown", "unschedulable",
  "unknown_function", "bad_arguments", "not_allowed", "queue_full", "payload_lost", "payload_too_large", "result_expired",
] as const;

export interface TaskFilter {
  how: string; // a state, `completed`, `status:…`, or empty: all
  function: string;
  label: string;
  submission: string;
}

const kIdPattern = /^[0-9a-f]{16}-[1-9][0-9]{0,17}$/;
export const isTaskId = (text: string): boolean => kIdPattern.test(text);

export function filterOf(query: URLSearchParams): TaskFilter {
  const get = (name: string) => query.get(name) ?? "";
  return { how: get("how"), function: get("function"), label: get("label"), submission: get("submission") };
}

export function addressOf(filter: TaskFilter): string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== "")).toString();
  return query ? `#/tasks?${query}` : "#/tasks";
}

export function requestOf(filter: TaskFilter, limit: number, cursor: string | undefined): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (filter.how.startsWith("status:")) query.set("status", filter.how.slice("status:".length));
  else if (filter.how) query.set("state", filter.how);
  for (const name of ["function", "label", "submission"] as const) if (filter[name]) query.set(name, filter[name]);
  if (cursor) query.set("cursor", cursor);
  return `v1/tasks?${query.toString()}`;
}
