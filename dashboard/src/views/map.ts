// One map: its progress, its speed since the page was opened, and its results a page at a time.
import { explain } from "../api/client";
import { readPiece } from "../api/ndjson";
import type { CoveyMap, MapResult } from "../api/types";
import { Chart } from "../charts/chart";
import { bytes, count, duration, kNothing, plural, rate, short, time, words } from "../format";
import { engineUrl, taskUrl } from "../router";
import { isOver, withMap, withoutMap } from "../store/state";
import { confirm } from "../ui/confirm";
import { h, setText } from "../ui/dom";
import { facts } from "../ui/facts";
import { notice } from "../ui/notice";
import { poll } from "../ui/poll";
import { progress } from "../ui/progress";
import { type Column, Table } from "../ui/table";
import { leftText, progressText, shortValue, speedText, stateOf } from "./map_words";
import type { Context, View } from "./view";

const kPage = 50;
const kQuietMs = 700;
const kFreshMs = 1000;

export function mapView(context: Context, id: string): View {
  const bar = progress("Progress of this map");
  const said = h("p", { class: "note" });
  const about = facts<CoveyMap>([
    { title: "State", cell: stateOf },
    { title: "Function", cell: (map) => ({ text: map.function }) },
    { title: "Label", cell: (map) => (map.label ? { text: map.label } : undefined) },
    { title: "Inputs", cell: (map) => ({ text: count(map.inputs) }) },
    { title: "Failed", cell: (map) => ({ text: count(map.failed) }) },
    { title: "Rate", cell: (map) => ({ text: speedText(map) }) },
    { title: "Time", cell: (map) => ({ text: leftText(map) }) },
    { title: "Begun", cell: (map) => ({ text: time(map.created) }) },
    { title: "Results kept", cell: ({ results }) => ({ text: `${count(results.kept)} (${bytes(results.bytes)})${results.dropped > 0 ? `, ${count(results.dropped)} dropped` : ""}` }) },
    { title: "Broke off", cell: (map) => (map.broken ? { text: map.broken } : undefined) },
  ]);
  const speed = speedChart();
  const problem = h("p", { class: "problem", role: "alert" });
  const end = h("button", { type: "button", class: "danger", text: "Cancel", hidden: true });
  const results = resultList(context, id);
  let latest: CoveyMap | undefined;
  const show = (map: CoveyMap) => {
    latest = map;
    bar.show(map.completed - map.failed, map.failed, map.inputs, map.state === "feeding");
    setText(said, `${progressText(map)}, ${leftText(map)}`);
    about.show(map);
    speed.take(map);
    setText(end, isOver(map) ? "Forget" : "Cancel");
    end.hidden = false;
  };
  const asking = poll(async (signal) => {
    try {
      const map = await context.client.get<CoveyMap>(`v1/maps/${id}`, signal);
      setText(problem, "");
      show(map);
      context.store.update((state) => withMap(state, map));
      return isOver(map) ? undefined : kFreshMs;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(problem, explain(error));
      return kFreshMs * 3;
    }
  });
  end.addEventListener("click", () => latest && void endMap(context, latest));
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1" }, "Map ", h("span", { class: "id", text: id })), end),
    problem, h("div", { class: "panel" }, bar.element, said, about.element), speed.element, results.element);
  const stop = () => {
    asking.stop();
    speed.stop();
    results.stop();
  };
  return { title: `Map ${id}`, element, stop };
}

// What has ended is forgotten as well: the API knows no map that is cancelled and still there to be read.
async function endMap(context: Context, map: CoveyMap): Promise<void> {
  const over = isOver(map);
  const sure = over
    ? await confirm("Forget this map?", "Its results are dropped.", "Forget it")
    : await confirm("Cancel this map?", `${plural(map.unfinished, "task")} of it have not ended. The results that there are are dropped as well.`, "Cancel it");
  if (!sure) return;
  try {
    await context.client.delete(`v1/maps/${map.id}`);
    notice(over ? "The map is forgotten." : "The map is cancelled.");
    context.store.update((state) => withoutMap(state, map.id));
    location.hash = "#/maps";
  } catch (error) {
    notice(explain(error), "failed");
  }
}

function speedChart(): { element: HTMLElement; take(map: CoveyMap): void; stop(): void } {
  const chart = new Chart({
    title: "Speed",
    lines: [{ title: "results", colour: "--accent", fill: true }],
    format: rate,
    axisFormat: short,
    xFormat: (seconds) => duration(seconds),
    points: false,
  });
  const x: number[] = [], y: (number | undefined)[] = [];
  const take = (map: CoveyMap) => {
    if (x.length === 0 && isOver(map)) chart.element.hidden = true; // there is nothing to be seen of it any more
    if (x.at(-1) === map.elapsed_s) return;
    x.push(map.elapsed_s);
    y.push(isOver(map) ? undefined : map.rate_per_s);
    chart.show([...x], [[...y]]);
  };
  return { element: chart.element, take, stop: () => chart.stop() };
}

// ---- results ----

type Line = MapResult | { dropped: number };

function columns(context: Context): Column<MapResult>[] {
  const name = (engine: string) => context.store.state.engines.get(engine)?.name ?? engine;
  return [
    { key: "index", title: "Input", numeric: true, cell: (result) => ({ text: count(result.index) }) },
    { key: "status", title: "Status", cell: (result) => ({ text: words(result.status), state: result.status === "ok" ? "ok" : "failed" }) },
    { key: "value", title: "Value or error", wide: true, cell: (result) => ({ text: shortValue(result), title: shortValue(result) }) },
    { key: "took", title: "Ran", numeric: true, cell: (result) => ({ text: result.duration_us === undefined ? kNothing : duration(result.duration_us / 1e6) }) },
    { key: "engine", title: "Engine", optional: true, cell: (result) => (result.engine ? { text: name(result.engine), href: engineUrl(result.engine) } : { text: kNothing }) },
    { key: "task", title: "Task", optional: true, cell: (result) => ({ text: result.task, href: taskUrl(result.task) }) },
  ];
}

function resultList(context: Context, id: string): { element: HTMLElement; stop(): void } {
  const table = new Table<MapResult>("Results", columns(context), (result) => String(result.position));
  const said = h("p", { class: "note", role: "status" });
  let starts = [0]; // positions after which the pages up to this one begin
  let last = 0;
  const read = poll(async (signal) => {
    try {
      const after = starts.at(-1) ?? 0;
      const piece = await readPiece<Line>(context.client, `v1/maps/${id}/results?order=completion&after=${after}`, kPage, kQuietMs, signal);
      const rows = piece.lines.filter((line): line is MapResult => "position" in line);
      const dropped = piece.lines.reduce((sum, line) => sum + ("dropped" in line ? line.dropped : 0), 0);
      last = rows.at(-1)?.position ?? after;
      table.show(rows);
      table.element.hidden = rows.length === 0;
      on.disabled = rows.length < kPage;
      back.disabled = starts.length === 1;
      setText(said, saidOf(rows, dropped, piece.ended));
      return rows.length >= kPage || piece.ended ? undefined : kFreshMs;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(said, explain(error));
      return kFreshMs * 3;
    }
  });
  const back = h("button", { type: "button", text: "Previous", disabled: true, on: { click: () => (starts.pop(), read.now()) } });
  const on = h("button", { type: "button", text: "Next", disabled: true, on: { click: () => (starts.push(last), read.now()) } });
  const element = h("section", { "aria-labelledby": "results-title" }, h("h2", { id: "results-title", text: "Results, as they came" }),
    table.element, h("nav", { class: "pager", "aria-label": "Pages of results" }, said, back, on));
  return { element, stop: () => read.stop() };
}

function saidOf(rows: readonly MapResult[], dropped: number, ended: boolean): string {
  const first = rows[0]?.position, end = rows.at(-1)?.position;
  const range = first === undefined ? (ended ? "No more results." : "No results yet.") : `Results ${count(first)} to ${count(end ?? first)}`;
  return dropped > 0 ? `${range}; ${plural(dropped, "earlier one")} dropped` : range;
}
