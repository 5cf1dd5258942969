// Starting a benchmark, and those that were started from this tab: the API has no list of them.
import { explain } from "../api/client";
import { benchmarkUrl } from "../router";
import { h, labelled, setText } from "../ui/dom";
import { type Benchmark, type Experiment, kExperiments, numbersOf, requestOf } from "./benchmark_model";
import type { Context, View } from "./view";

const kKey = "covey-benchmarks";
const kMost = 50;

interface Started {
  id: string;
  experiment: string;
  at: string;
}

export function startedHere(): Started[] {
  try {
    return JSON.parse(sessionStorage.getItem(kKey) ?? "[]") as Started[];
  } catch {
    return [];
  }
}

function keep(started: Started): void {
  sessionStorage.setItem(kKey, JSON.stringify([started, ...startedHere()].slice(0, kMost)));
}

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
  const before = startedHere();
  const list = h("ul", { class: "plain" }, ...before.map(({ id, experiment: kind, at }) =>
    h("li", {}, h("a", { href: benchmarkUrl(id), text: `${kExperiments[kind as Experiment]?.title ?? kind} ${id}` }), h("span", { class: "note", text: ` begun ${new Date(at).toLocaleTimeString()}` }))));
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1", text: "Benchmarks" })), form,
    h("section", { class: "panel", "aria-labelledby": "before-title" }, h("h2", { id: "before-title", text: "Started from this tab" }),
      before.length > 0 ? list : h("p", { class: "note", text: "None yet." })));
  return { title: "Benchmarks", element };
}

async function begin(context: Context, experiment: Experiment, numbers: number[], button: HTMLButtonElement, wrong: HTMLElement): Promise<void> {
  button.disabled = true;
  try {
    const { id } = await context.client.post<Benchmark>("v1/benchmarks", requestOf(experiment, numbers));
    keep({ id, experiment, at: new Date().toISOString() });
    location.hash = benchmarkUrl(id);
  } catch (error) {
    setText(wrong, explain(error));
    button.disabled = false;
  }
}
