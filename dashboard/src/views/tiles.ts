// The row of figures at the top of the overview.
import { bytes, count, percent, rate } from "../format";
import type { State } from "../store/state";
import { h, setText } from "../ui/dom";

interface Tile {
  title: string;
  value(state: State): string;
  note(state: State): string;
}

const kTiles: Tile[] = [
  {
    title: "Throughput",
    value: (state) => rate(smoothed(state)),
    note: (state) => (state.figures ? `${count(state.figures.tasks.completed)} succeeded` : ""),
  },
  {
    title: "In the queue",
    value: (state) => figure(state, (tasks) => tasks.ready),
    note: (state) => (state.figures ? `${count(state.figures.tasks.unfinished)} unfinished` : ""),
  },
  {
    title: "With engines",
    value: (state) => figure(state, (tasks) => tasks.assigned),
    note: (state) => (state.figures ? `${count(state.figures.tasks.requeued)} requeued so far` : ""),
  },
  {
    title: "Slots busy",
    value: (state) => (state.figures ? `${count(state.figures.engines.busy_slots)} / ${count(state.figures.engines.slots)}` : "–"),
    note: (state) => (state.figures ? percent(state.figures.engines.busy_slots, state.figures.engines.slots) : ""),
  },
  {
    title: "Engines",
    value: (state) => (state.figures ? count(state.figures.engines.live) : "–"),
    note: (state) => {
      const memory = [...state.engines.values()].reduce((sum, engine) => sum + (engine.memory_bytes ?? 0), 0);
      return [state.figures && `${count(state.figures.engines.lost)} lost`, memory > 0 && `${bytes(memory)} in all`].filter(Boolean).join(", ");
    },
  },
  {
    title: "Failed",
    value: (state) => figure(state, (tasks) => tasks.failed),
    note: (state) => (state.figures ? `${percent(state.figures.tasks.failed, state.figures.tasks.failed + state.figures.tasks.completed)} of all` : ""),
  },
];

function figure(state: State, of: (tasks: NonNullable<State["figures"]>["tasks"]) => number): string {
  return state.figures ? count(of(state.figures.tasks)) : "–";
}

// Over two seconds: a single sample flickers.
function smoothed(state: State): number | undefined {
  const latest = state.samples.slice(-4);
  if (latest.length === 0) return undefined;
  return latest.reduce((sum, sample) => sum + sample.ok + sample.failed, 0) / latest.length;
}

export function tiles(): { element: HTMLElement; update(state: State): void } {
  const cells = kTiles.map((tile) => ({ tile, value: h("dd", { class: "value" }), note: h("dd", { class: "note" }) }));
  const element = h("dl", { class: "tiles" }, ...cells.map(({ tile, value, note }) => h("div", {}, h("dt", { text: tile.title }), value, note)));
  const update = (state: State) => {
    for (const { tile, value, note } of cells) {
      setText(value, tile.value(state));
      setText(note, tile.note(state));
    }
  };
  return { element, update };
}
