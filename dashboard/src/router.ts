// Which view an address shows. Pure.
export type Place =
  | { view: "overview" }
  | { view: "engines" }
  | { view: "engine"; id: string }
  | { view: "tasks"; filter: URLSearchParams }
  | { view: "task"; id: string }
  | { view: "maps" }
  | { view: "map"; id: string }
  | { view: "benchmarks" }
  | { view: "benchmark"; id: string };

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const [first = "", raw] = path.split("/").filter((part) => part !== "");
  const id = raw === undefined ? undefined : decoded(raw);
  if (first === "engines") return id ? { view: "engine", id } : { view: "engines" };
  if (first === "tasks") return id ? { view: "task", id } : { view: "tasks", filter: new URLSearchParams(query) };
  if (first === "maps") return id ? { view: "map", id } : { view: "maps" };
  if (first === "benchmarks") return id ? { view: "benchmark", id } : { view: "benchmarks" };
  return { view: "overview" };
}

// An address that somebody has cut short is no reason to show nothing.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const kSections: Partial<Record<Place["view"], string>> = { engine: "engines", task: "tasks", map: "maps", benchmark: "benchmarks" };

// Which entry of the navigation it belongs to.
export function sectionOf(place: Place): string {
  return kSections[place.view] ?? place.view;
}

export const engineUrl = (id: string): string => `#/engines/${encodeURIComponent(id)}`;
export const taskUrl = (id: string): string => `#/tasks/${encodeURIComponent(id)}`;
export const mapUrl = (id: string): string => `#/maps/${encodeURIComponent(id)}`;
export const benchmarkUrl = (id: string): string => `#/benchmarks/${encodeURIComponent(id)}`;
