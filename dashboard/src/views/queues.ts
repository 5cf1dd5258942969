// The ready queue's lanes, in the order in which they are served, and what their tasks ask of an engine.
import { explain } from "../api/client";
import type { Lane, Queues } from "../api/types";
import { count, plural } from "../format";
import { h, setText } from "../ui/dom";
import { poll } from "../ui/poll";
import { Table } from "../ui/table";
import type { Context } from "./view";

const kShown = 12;
const kFreshMs = 2000;

export function demandOf(lane: Lane): string {
  const parts = [
    lane.targets?.length ? `one of ${plural(lane.targets.length, "engine")}` : "",
    lane.labels?.length ? `labels ${lane.labels.join(", ")}` : "",
    lane.follow ? `where engine ${lane.follow} is` : "",
    lane.alone ? "alone on its engine, as a suspect" : "",
    lane.at_most_once ? "at most once" : "",
  ];
  return parts.filter(Boolean).join("; ") || "any engine";
}

export function queuesPanel(context: Context): { element: HTMLElement; stop(): void } {
  const table = new Table<Lane & { place: number }>("Queues", [
    { key: "demand", title: "For", cell: (lane) => ({ text: demandOf(lane) }) },
    { key: "priority", title: "Priority", numeric: true, cell: (lane) => ({ text: String(lane.priority) }) },
    { key: "ready", title: "Ready", numeric: true, cell: (lane) => ({ text: count(lane.ready) }) },
  ], (lane) => `${lane.place}`);
  const said = h("p", { class: "note", text: "Asking for the queues." });
  const show = (queues: Queues) => {
    const lanes = queues.queues.slice(0, kShown).map((lane, place) => ({ ...lane, place }));
    const more = queues.queues.length - lanes.length + queues.left_out;
    table.show(lanes);
    table.element.hidden = lanes.length === 0;
    setText(said, lanes.length === 0 ? "Nothing waits for an engine." : more > 0 ? `and ${plural(more, "queue")} more` : "");
    said.hidden = said.textContent === "";
  };
  const asking = poll(async (signal) => {
    try {
      show(await context.client.get<Queues>("v1/queues", signal));
    } catch (error) {
      if (signal.aborted) throw error;
      setText(said, explain(error));
      said.hidden = false;
    }
    return kFreshMs;
  });
  const element = h("section", { class: "panel", "aria-labelledby": "queues-title" }, h("h2", { id: "queues-title", text: "Queues" }), table.element, said);
  table.element.hidden = true;
  return { element, stop: () => asking.stop() };
}
