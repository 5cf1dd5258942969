// Maps with their progress: all of them as a view, those that run as a panel of the overview.
import type { CoveyMap } from "../api/types";
import { kNothing, time } from "../format";
import { mapUrl } from "../router";
import { isOver, type State } from "../store/state";
import { h, setText } from "../ui/dom";
import { Pager } from "../ui/pager";
import { type Progress, progress } from "../ui/progress";
import { type Column, Table } from "../ui/table";
import { leftText, progressText, speedText, stateOf } from "./map_words";
import type { Context, View } from "./view";

const kPage = 50;
const kPanelMost = 8;

class MapTable {
  readonly table: Table<CoveyMap>;
  private readonly bars = new Map<string, Progress>();

  constructor(caption: string, without: readonly string[] = []) {
    this.table = new Table(caption, this.columns().filter(({ key }) => !without.includes(key)), (map) => map.id);
  }

  show(maps: readonly CoveyMap[]): void {
    this.table.show(maps);
    const shown = new Set(maps.map((map) => map.id));
    for (const id of this.bars.keys()) if (!shown.has(id)) this.bars.delete(id);
    for (const map of maps) this.bars.get(map.id)?.show(map.completed - map.failed, map.failed, map.inputs, map.state === "feeding");
  }

  private columns(): Column<CoveyMap>[] {
    return [
      { key: "id", title: "Map", cell: (map) => ({ text: map.label || map.id, href: mapUrl(map.id), title: map.id }) },
      { key: "function", title: "Function", optional: true, cell: (map) => ({ text: map.function }) },
      { key: "state", title: "State", optional: true, cell: stateOf },
      { key: "bar", title: "Progress", optional: true, cell: (map) => ({ text: "", node: () => this.bar(map) }) },
      { key: "done", title: "Done", numeric: true, cell: (map) => ({ text: progressText(map) }) },
      { key: "rate", title: "Rate", numeric: true, cell: (map) => ({ text: speedText(map) }) },
      { key: "left", title: "Time", numeric: true, optional: true, cell: (map) => ({ text: leftText(map) }) },
      { key: "created", title: "Begun", optional: true, cell: (map) => ({ text: map.created ? time(map.created) : kNothing }) },
    ];
  }

  private bar(map: CoveyMap): HTMLElement {
    const bar = progress(`Progress of ${map.label || map.id}`);
    this.bars.set(map.id, bar);
    return bar.element;
  }
}

export function mapsView(context: Context): View {
  const table = new MapTable("Maps");
  const pager = new Pager("maps", kPage, () => draw(context.store.state));
  const empty = h("p", { class: "empty", hidden: true });
  const draw = ({ maps }: State) => {
    const all = maps ?? [];
    table.show(pager.cut(all));
    table.table.element.hidden = all.length === 0;
    empty.hidden = all.length > 0;
    setText(empty, maps === undefined ? "Asking for the maps." : "No map came over the HTTP API. POST /v1/maps begins one; docs/api.md shows how.");
  };
  void context.feed.loadMaps();
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1", text: "Maps" })), table.table.element, empty, pager.element);
  return { title: "Maps", element, update: draw };
}

export function runningMaps(): { element: HTMLElement; update(state: State): void } {
  const table = new MapTable("Running maps", ["function", "state", "created"]);
  const said = h("p", { class: "note" });
  const element = h("section", { class: "panel", "aria-labelledby": "running-title" },
    h("h2", { id: "running-title" }, "Running maps ", h("a", { href: "#/maps", text: "all maps" })), table.table.element, said);
  const update = ({ maps }: State) => {
    const running = (maps ?? []).filter((map) => !isOver(map));
    table.show(running.slice(0, kPanelMost));
    table.table.element.hidden = running.length === 0;
    setText(said, running.length === 0 ? "No map runs." : running.length > kPanelMost ? `and ${running.length - kPanelMost} more` : "");
    said.hidden = said.textContent === "";
  };
  return { element, update };
}
