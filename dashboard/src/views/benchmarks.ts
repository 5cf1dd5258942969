// Starting a benchmark, and those that the controller still knows of.
import { explain } from "../api/client";
import { count, time, words } from "../format";
import { benchmarkUrl } from "../router";
import { h, labelled, setText } from "../ui/dom";
import { poll } from "../ui/poll";
import { type Column, Table } from "../ui/table";
import { type Benchmark, type Experiment, isRunning, kExperiments, markOf, numbersOf, requestOf } from "./benchmark_model";
import type { Context, View } from "./view";

const kFreshMs = 1000;
const kQuietMs = 5000;

export function benchmarksView(context: Context): View {
  const experiment = h("select", { id: "experiment" }, ...Object.entries(kExperiments).map(([value, { title }]) => h("option", { value, text: title })));
  const numbers = h("input", { id: "numbers", type: "text", autocomplete: "off", spellcheck: "false", size: "36", "aria-describedby": "what wrong" });
  const numbersLabel = labelled("", numbers);
  const what = h("p", { id: "what", class: "note" });
  const wrong = h("p", { id: "wrong", class: "problem", role: "alert" });
  const chosen = () => kExperiments[experiment.value as Experiment];
  const propose = () => {
    numbers.value = chosen().wanted.proposal;
    setText(numbersLabel.querySelector("label") as Element, chosen().wanted.title);
    setText(what, `${chosen().what} It runs in this cluster, beside what else runs there.`);
  };
  experiment.addEventListener("change", propose);
  propose();
  const start = h("button", { type: "submit", class: "primary", text: "Start" });
  const form = h("form", { class: "panel" }, h("h2", { text: "Start one" }),
    h("div", { class: "filters" }, labelled("Experiment", experiment), numbersLabel, start), what, wrong);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = numbersOf(numbers.value);
    setText(wrong, typeof wanted === "string" ? wanted : "");
    numbers.setAttribute("aria-invalid", String(typeof wanted === "string"));
    if (typeof wanted !== "string") void begin(context, experiment.value as Experiment, wanted, start, wrong);
  });
  const table = new Table<Benchmark>("Benchmarks", kColumns, ({ id }) => id);
  const said = h("p", { class: "note", role: "status", text: "Asking for the benchmarks." });
  table.element.hidden = true;
  const asking = poll(async (signal) => {
    try {
      const { benchmarks } = await context.client.get<{ benchmarks: Benchmark[] }>("v1/benchmarks", signal);
      table.show(benchmarks);
      table.element.hidden = benchmarks.length === 0;
      setText(said, benchmarks.length === 0 ? "None yet." : "");
      return benchmarks.some(isRunning) ? kFreshMs : kQuietMs;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(said, explain(error));
      return kQuietMs;
    }
  });
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1", text: "Benchmarks" })), form, table.element, said);
  return { title: "Benchmarks", element, stop: () => asking.stop() };
}

const kColumns: Column<Benchmark>[] = [
  { key: "id", title: "Benchmark", cell: ({ id, experiment }) => ({ text: `${kExperiments[experiment as Experiment]?.title ?? experiment} ${id}`, href: benchmarkUrl(id) }) },
  { key: "state", title: "State", cell: (benchmark) => ({ text: words(benchmark.state), state: markOf(benchmark) }) },
  { key: "rows", title: "Measured", numeric: true, cell: ({ row_count, row_total }) => ({ text: `${count(row_count)} of ${count(row_total)}` }) },
  { key: "started", title: "Begun", optional: true, cell: ({ started }) => ({ text: time(started) }) },
];

async function begin(context: Context, experiment: Experiment, numbers: number[], button: HTMLButtonElement, wrong: HTMLElement): Promise<void> {
  button.disabled = true;
  try {
    const { id } = await context.client.post<Benchmark>("v1/benchmarks", requestOf(experiment, numbers));
    location.hash = benchmarkUrl(id);
  } catch (error) {
    setText(wrong, explain(error));
    button.disabled = false;
  }
}
