// Which view an address shows. Pure.
export type Place =
  | { view: "overview" }
  | { view: "engines" }
  | { view: "engine"; id: string }
  | { view: "tasks"; filter: URLSearchParams }
  | { view: "task"; id: string }
  | { view: "maps" }
  | { view: "map"; id: string };

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const [first = "", id] = path.split("/").filter((part) => part !== "");
  if (first === "engines") return id ? { view: "engine", id } : { view: "engines" };
  if (first === "tasks") return id ? { view: "task", id } : { view: "tasks", filter: new URLSearchParams(query) };
  if (first === "maps") return id ? { view: "map", id: decodeURIComponent(id) } : { view: "maps" };
  return { view: "overview" };
}

// Which entry of the navigation it belongs to.
export function sectionOf(place: Place): string {
  return { engine: "engines", task: "tasks", map: "maps" }[place.view as string] ?? place.view;
}
