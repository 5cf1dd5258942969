// All engines at a glance: a square for each, filled as its slots are. Drawn on one canvas, so that 1,000 cost no more than four.
import { colour } from "../charts/colour";
import { count } from "../format";
import type { EngineRow, State } from "../store/state";
import { onThemeChange } from "../theme";
import { h, setText } from "../ui/dom";

const kGap = 3;

function cellSize(engines: number): number {
  return engines > 400 ? 9 : engines > 100 ? 12 : 18;
}

export function slotGrid(): { element: HTMLElement; update(state: State): void; stop(): void } {
  const canvas = h("canvas", { role: "img" });
  const said = h("p", { class: "note" });
  const element = h("section", { class: "panel", "aria-labelledby": "grid-title" },
    h("h2", { id: "grid-title" }, "Engines ", h("a", { href: "#/engines", text: "all" })), canvas, said);
  let rows: EngineRow[] = [];
  const redraw = () => draw(canvas, rows);
  const resize = new ResizeObserver(redraw);
  resize.observe(element);
  const endTheme = onThemeChange(redraw);
  let shown: State["engines"] | undefined;
  const update = (state: State) => {
    if (state.engines === shown) return;
    shown = state.engines;
    rows = [...state.engines.values()].sort((left, right) => left.name.localeCompare(right.name, undefined, { numeric: true }));
    const text = summary(state, rows);
    setText(said, text);
    canvas.setAttribute("aria-label", text);
    redraw();
  };
  const stop = () => {
    resize.disconnect();
    endTheme();
  };
  return { element, update, stop };
}

function summary(state: State, rows: readonly EngineRow[]): string {
  if (state.enginesAt === undefined) return "Asking for the engines.";
  if (rows.length === 0) return "No engine is here. `covey engine` starts one, and `covey up -n 4` a cluster with four.";
  const parts = (["busy", "idle", "draining", "joining"] as const)
    .map((name) => ({ name, number: rows.filter((row) => row.state === name).length }))
    .filter(({ number }) => number > 0)
    .map(({ name, number }) => `${count(number)} ${name}`);
  return parts.join(", ");
}

// The lower part of a square is filled by the share of its slots that have tasks; a draining engine has a cross.
function draw(canvas: HTMLCanvasElement, rows: readonly EngineRow[]): void {
  const size = cellSize(rows.length);
  const width = canvas.parentElement?.clientWidth ?? 0;
  const columns = Math.max(1, Math.floor((width - 24 + kGap) / (size + kGap)));
  const height = Math.ceil(rows.length / columns) * (size + kGap);
  const scale = devicePixelRatio || 1;
  const usedWidth = columns * (size + kGap);
  canvas.width = usedWidth * scale;
  canvas.height = Math.max(1, height) * scale;
  canvas.style.width = `${usedWidth}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(scale, scale);
  const empty = colour("--line"), full = colour("--accent"), cross = colour("--text");
  rows.forEach((row, i) => {
    const x = (i % columns) * (size + kGap), y = Math.floor(i / columns) * (size + kGap);
    const part = size * Math.min(1, row.tasks / Math.max(1, row.slots));
    pen.fillStyle = empty;
    pen.fillRect(x, y, size, size);
    pen.fillStyle = full;
    pen.fillRect(x, y + size - part, size, part);
    if (row.state !== "draining") return;
    pen.strokeStyle = cross;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + size, y + size);
    pen.moveTo(x + size, y);
    pen.lineTo(x, y + size);
    pen.stroke();
  });
}
