// One benchmark: its plots draw themselves as its rows come, and a table has every figure.
import { explain } from "../api/client";
import { Chart } from "../charts/chart";
import { count, duration, percent, plural, time, words } from "../format";
import { confirm } from "../ui/confirm";
import { h, setText } from "../ui/dom";
import { facts } from "../ui/facts";
import { notice } from "../ui/notice";
import { poll } from "../ui/poll";
import { progress } from "../ui/progress";
import { type Column, Table } from "../ui/table";
import { type Benchmark, cellText, isRunning, markOf, type Plot, plotsOf, type Row } from "./benchmark_model";
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
    { title: "Measured", cell: ({ row_count, row_total }) => ({ text: `${count(row_count)} of ${plural(row_total, "row")}` }) },
    { title: "Now", cell: (benchmark) => (isRunning(benchmark) && benchmark.message ? { text: benchmark.message } : undefined) },
    { title: "Begun", cell: ({ started }) => ({ text: time(started) }) },
    { title: "Took", cell: ({ started, ended }) => (ended ? { text: duration((Date.parse(ended) - Date.parse(started)) / 1000) } : undefined) },
  ]);
  const bar = progress("Progress of this benchmark");
  const problem = h("p", { class: "problem", role: "alert" });
  const plots = h("div", { class: "charts" });
  const table = h("div");
  const end = h("button", { type: "button", class: "danger", text: "Cancel", hidden: true });
  let latest: Benchmark | undefined;
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
      latest = benchmark;
      about.show(benchmark);
      bar.show(benchmark.row_count, 0, benchmark.row_total, false);
      bar.element.hidden = false;
      setText(end, isRunning(benchmark) ? "Cancel" : "Forget");
      end.hidden = false;
      document.title = isRunning(benchmark) ? `${percent(benchmark.row_count, benchmark.row_total)} · Benchmark · Covey` : "Benchmark · Covey";
      draw(benchmark);
      return isRunning(benchmark) ? kFreshMs : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(problem, explain(error));
      return kFreshMs * 6;
    }
  });
  bar.element.hidden = true;
  end.addEventListener("click", () => latest && void endBenchmark(context, latest, () => asking.now()));
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1" }, "Benchmark ", h("span", { class: "id", text: id })), end),
    problem, h("div", { class: "panel" }, bar.element, about.element), plots, table);
  const stop = () => {
    asking.stop();
    charts.forEach((chart) => chart.stop());
  };
  return { title: "Benchmark", element, stop };
}

async function endBenchmark(context: Context, benchmark: Benchmark, then: () => void): Promise<void> {
  const running = isRunning(benchmark);
  const sure = running
    ? await confirm("Cancel this benchmark?", "Its tasks are cancelled. The figures that there are stay.", "Cancel it")
    : await confirm("Forget this benchmark?", "Its figures are dropped.", "Forget it");
  if (!sure) return;
  try {
    await context.client.delete(`v1/benchmarks/${encodeURIComponent(benchmark.id)}`);
    notice(running ? "The benchmark is being cancelled." : "The benchmark is forgotten.");
    if (running) then();
    else location.hash = "#/benchmarks";
  } catch (error) {
    notice(explain(error), "failed");
  }
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
