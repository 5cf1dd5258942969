// All engines, in pages, to sort, to search, to drain and to resume.
import { explain } from "../api/client";
import { age, bytes, count, duration, kNothing, rate, words } from "../format";
import { engineUrl } from "../router";
import type { EngineRow, State } from "../store/state";
import { h, labelled, setText } from "../ui/dom";
import { notice } from "../ui/notice";
import { Pager } from "../ui/pager";
import { type Column, Table } from "../ui/table";
import type { Context, View } from "./view";

const kPage = 50;

export async function setDraining(context: Context, engine: { id: string; name: string }, drain: boolean): Promise<void> {
  try {
    await context.client.post(`v1/engines/${engine.id}/${drain ? "drain" : "resume"}`);
    notice(drain ? `${engine.name} takes no more tasks.` : `${engine.name} takes tasks again.`);
  } catch (error) {
    notice(explain(error), "failed");
  }
  context.feed.refreshEngines();
}

function drainButton(context: Context, id: string): HTMLElement {
  const button = h("button", { type: "button", class: "small" });
  button.addEventListener("click", () => {
    const engine = context.store.state.engines.get(id);
    if (engine) void setDraining(context, engine, engine.state !== "draining");
  });
  return button;
}

export const memoryOf = (engine: EngineRow): string => (engine.memory_bytes ? bytes(engine.memory_bytes) : kNothing);

function columns(context: Context): Column<EngineRow>[] {
  return [
    { key: "name", title: "Engine", cell: (row) => ({ text: row.name, href: engineUrl(row.id), title: row.id }), order: (row) => row.name },
    { key: "state", title: "State", cell: (row) => ({ text: words(row.state), state: row.state }), order: (row) => row.state },
    { key: "tasks", title: "Tasks", numeric: true, cell: (row) => ({ text: count(row.tasks), title: `of ${row.credit} that it would take` }), order: (row) => row.tasks },
    { key: "slots", title: "Slots", numeric: true, cell: (row) => ({ text: count(row.slots) }), order: (row) => row.slots },
    { key: "rate", title: "Rate", numeric: true, cell: (row) => ({ text: rate(row.perSecond) }), order: (row) => row.perSecond ?? -1 },
    { key: "mean", title: "Mean run", numeric: true, optional: true, cell: (row) => ({ text: row.mean_run_us > 0 ? duration(row.mean_run_us / 1e6) : "–" }), order: (row) => row.mean_run_us },
    { key: "memory", title: "Memory", numeric: true, optional: true, cell: (row) => ({ text: memoryOf(row) }), order: (row) => row.memory_bytes ?? 0 },
    { key: "completed", title: "Completed", numeric: true, optional: true, cell: (row) => ({ text: count(row.completed) }), order: (row) => row.completed },
    { key: "idle", title: "Idle for", numeric: true, cell: (row) => ({ text: row.state === "idle" ? age(row.idle_s) : "–" }), order: (row) => (row.state === "idle" ? row.idle_s : -1) },
    { key: "up", title: "Up for", numeric: true, optional: true, cell: (row) => ({ text: age(row.up_s) }), order: (row) => row.up_s },
    { key: "act", title: "Action", cell: (row) => ({ text: "", node: () => drainButton(context, row.id) }) },
  ];
}

export function enginesView(context: Context): View {
  const search = h("input", { type: "search", id: "engine-search", placeholder: "name, id or label", autocomplete: "off" });
  const state = h("select", { id: "engine-state" }, ...["all", "idle", "busy", "draining", "joining"].map((value) => h("option", { value, text: value })));
  const pager = new Pager("engines", kPage, () => draw(context.store.state));
  const table = new Table("Engines", columns(context), (row) => row.id, () => draw(context.store.state));
  const empty = h("p", { class: "empty" });
  const draw = (now: State): void => {
    const wanted = search.value.trim().toLowerCase();
    const fits = (row: EngineRow) =>
      (state.value === "all" || row.state === state.value) &&
      (wanted === "" || [row.name, row.id, ...row.labels].some((text) => text.toLowerCase().includes(wanted)));
    const all = [...now.engines.values()].filter(fits);
    const sorted = table.sort ? table.sorted(all) : all;
    table.show(pager.cut(sorted));
    for (const row of pager.cut(sorted)) relabel(table, row);
    setText(empty, all.length > 0 || now.enginesAt === undefined ? "" : now.engines.size > 0 ? "No engine fits this search." : "No engine is here. `covey engine` starts one, and `covey up -n 4` a cluster with four.");
    empty.hidden = empty.textContent === "";
  };
  const again = () => {
    pager.first();
    draw(context.store.state);
  };
  search.addEventListener("input", again);
  state.addEventListener("change", again);
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1", text: "Engines" }),
      h("div", { class: "filters", role: "search" }, labelled("Search", search), labelled("State", state))),
    table.element, empty, pager.element);
  return { title: "Engines", element, update: draw };
}

// The button says what it will do to whom.
function relabel(table: Table<EngineRow>, row: EngineRow): void {
  const button = table.node(row.id)?.querySelector("button");
  if (!button) return;
  const action = row.state === "draining" ? "Resume" : "Drain";
  setText(button, action);
  const label = `${action} ${row.name}`;
  if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
}
