// One benchmark: its plots draw themselves as its rows come, and a table has every figure.
import { explain } from "../api/client";
import { Chart } from "../charts/chart";
import { percent, plural, words } from "../format";
import { h, setText } from "../ui/dom";
import { facts } from "../ui/facts";
import { poll } from "../ui/poll";
import { progress } from "../ui/progress";
import { type Column, Table } from "../ui/table";
import { type Benchmark, cellText, isRunning, type Plot, plotsOf, type Row } from "./benchmark_model";
import type { Context, View } from "./view";

const kFreshMs = 500;
const kColours = ["--accent", "--muted"];

interface Entry {
  id: string;
  row: Row;
}

export function benchmarkView(context: Context, id: string): View {
  const about = facts<Benchmark>([
    { title: "State", cell: (benchmark) => ({ text: words(benchmark.state), state: markOf(benchmark) }) },
    { title: "Experiment", cell: (benchmark) => ({ text: benchmark.experiment }) },
    { title: "Measured", cell: ({ rows }) => ({ text: plural(rows?.length ?? 0, "row") }) },
    { title: "Now", cell: ({ message }) => (message ? { text: message } : undefined) },
  ]);
  const bar = progress("Progress of this benchmark");
  const problem = h("p", { class: "problem", role: "alert" });
  const plots = h("div", { class: "charts" });
  const table = h("div");
  let charts: Chart[] = [];
  let rows: Table<Entry> | undefined;
  const draw = (benchmark: Benchmark) => {
    const all = benchmark.rows ?? [];
    const wanted = plotsOf(benchmark.experiment, all);
    if (charts.length === 0) {
      charts = wanted.map(chartOf);
      plots.replaceChildren(...charts.map((chart) => chart.element));
    }
    wanted.forEach((plot, i) => charts[i]?.show(plot.x, plot.lines.map(({ values }) => values)));
    if (all.length === 0) return;
    rows ??= tableOf(all, table);
    rows.show(all.map((row, i) => ({ id: String(i), row })));
  };
  const asking = poll(async (signal) => {
    try {
      const benchmark = await context.client.get<Benchmark>(`v1/benchmarks/${encodeURIComponent(id)}`, signal);
      setText(problem, benchmark.error ?? "");
      about.show(benchmark);
      const { done, total } = benchmark;
      bar.element.hidden = done === undefined || total === undefined;
      if (done !== undefined && total !== undefined) bar.show(done, 0, total, false);
      document.title = isRunning(benchmark) && total ? `${percent(done ?? 0, total)} · Benchmark · Covey` : "Benchmark · Covey";
      draw(benchmark);
      return isRunning(benchmark) ? kFreshMs : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(problem, explain(error));
      return kFreshMs * 6;
    }
  });
  bar.element.hidden = true;
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1" }, "Benchmark ", h("span", { class: "id", text: id }))),
    problem, h("div", { class: "panel" }, bar.element, about.element), plots, table);
  const stop = () => {
    asking.stop();
    charts.forEach((chart) => chart.stop());
  };
  return { title: "Benchmark", element, stop };
}

function markOf(benchmark: Benchmark): string {
  if (isRunning(benchmark)) return "running";
  return benchmark.state === "completed" ? "ok" : benchmark.state;
}

function chartOf(plot: Plot): Chart {
  return new Chart({
    title: plot.title,
    lines: plot.lines.map((line, i) => ({ title: line.title, colour: kColours[i] ?? "--text", ...(i > 0 ? { dash: [4, 3] } : {}) })),
    format: plot.format,
    axisFormat: plot.axisFormat,
    xFormat: plot.xFormat,
    logarithmicX: true,
    least: 0,
    height: 220,
  });
}

// The columns are the fields of the rows: each experiment has its own.
function tableOf(rows: readonly Row[], place: HTMLElement): Table<Entry> {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((field) => !["experiment", "system"].includes(field));
  const columns = fields.map((field): Column<Entry> => ({
    key: field, title: words(field), numeric: typeof rows[0]?.[field] === "number", cell: ({ row }) => ({ text: cellText(field, row[field]) }),
  }));
  const table = new Table<Entry>("Figures of the benchmark", columns, ({ id }) => id);
  place.replaceChildren(table.element);
  return table;
}
