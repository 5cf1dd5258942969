// The first page: how the cluster does, and what runs now.
import type { State } from "../store/state";
import { h } from "../ui/dom";
import { slotGrid } from "./slot_grid";
import { tiles } from "./tiles";
import { trends } from "./trends";
import type { Context, View } from "./view";

export function overview(_context: Context): View {
  const figures = tiles();
  const charts = trends();
  const grid = slotGrid();
  const element = h("section", { "aria-labelledby": "title" },
    h("h1", { id: "title", class: "unseen", tabindex: "-1", text: "Overview" }), figures.element, charts.element, grid.element);
  const update = (state: State) => {
    figures.update(state);
    charts.update(state);
    grid.update(state);
  };
  return { title: "Overview", element, update, stop: charts.stop };
}
