// The first page: how the cluster does, and what runs now.
import type { State } from "../store/state";
import { h } from "../ui/dom";
import { runningMaps } from "./maps";
import { queuesPanel } from "./queues";
import { slotGrid } from "./slot_grid";
import { tiles } from "./tiles";
import { trends } from "./trends";
import type { Context, View } from "./view";

export function overview(context: Context): View {
  const figures = tiles();
  const charts = trends();
  const grid = slotGrid();
  const maps = runningMaps();
  const queues = queuesPanel(context);
  const element = h("section", { "aria-labelledby": "title" },
    h("h1", { id: "title", class: "unseen", tabindex: "-1", text: "Overview" }), figures.element, charts.element, grid.element,
    h("div", { class: "pair" }, maps.element, queues.element));
  const update = (state: State) => {
    figures.update(state);
    charts.update(state);
    grid.update(state);
    maps.update(state);
  };
  const stop = () => {
    charts.stop();
    grid.stop();
    queues.stop();
  };
  return { title: "Overview", element, update, stop };
}
