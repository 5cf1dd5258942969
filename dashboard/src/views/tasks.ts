// The tasks of all clients, in pages as the controller cuts them: unfinished ones first, then the latest that have ended.
import { type ApiClient, explain } from "../api/client";
import type { Task, TaskPage } from "../api/types";
import { age, count, kNothing, plural, words } from "../format";
import { engineUrl, taskUrl } from "../router";
import { h, labelled, setText } from "../ui/dom";
import { poll } from "../ui/poll";
import { type Cell, type Column, Table } from "../ui/table";
import { addressOf, filterOf, isTaskId, kStatuses, kUnfinishedStates, requestOf, type TaskFilter } from "./task_query";
import { isUnfinished, markOf, tookOf } from "./task_words";
import type { Context, View } from "./view";

const kPage = 100;
const kFreshMs = 2000;
const kMostLooks = 200; // of 1,000 tasks each, for one page
const kCheapLooks = 5; // a page that took more is not asked for again and again

function columns(context: Context): Column<Task>[] {
  const name = (id: string) => context.store.state.engines.get(id)?.name ?? id;
  return [
    { key: "id", title: "Task", cell: (task) => ({ text: task.id, href: taskUrl(task.id) }) },
    { key: "state", title: "State", cell: markOf },
    { key: "took", title: "Took", numeric: true, cell: tookCell },
    { key: "function", title: "Function", cell: (task) => ({ text: task.function ?? kNothing }) },
    { key: "label", title: "Label", optional: true, cell: (task) => ({ text: task.label ?? kNothing }) },
    { key: "attempts", title: "Attempts", numeric: true, optional: true, cell: (task) => ({ text: task.attempts === undefined ? kNothing : count(task.attempts) }) },
    { key: "engine", title: "Engine", optional: true, cell: (task) => (task.engine ? { text: name(task.engine), href: engineUrl(task.engine), title: task.engine } : { text: kNothing }) },
  ];
}

// In a list there is no room for words.
function tookCell(task: Task): Cell {
  return isUnfinished(task) && task.since_s !== undefined ? { text: `${age(task.since_s)} …`, title: "so far" } : { text: tookOf(task) };
}

// Pages that hold nothing of what is wanted are passed over; `looking` hears of each.
async function pageFrom(
  client: ApiClient, filter: TaskFilter, cursor: string | undefined, signal: AbortSignal, looking: (looks: number) => void,
): Promise<TaskPage & { looks: number }> {
  let page = await client.get<TaskPage>(requestOf(filter, kPage, cursor), signal);
  const tasks = [...page.tasks];
  let looks = 1;
  for (; tasks.length < kPage && page.next !== undefined && looks < kMostLooks; ++looks) {
    looking(looks);
    page = await client.get<TaskPage>(requestOf(filter, kPage - tasks.length, page.next), signal);
    tasks.push(...page.tasks);
  }
  return { ...page, tasks, looks };
}

export function tasksView(context: Context, query: URLSearchParams): View {
  let filter = filterOf(query);
  let cursors: (string | undefined)[] = [undefined]; // of the pages up to this one
  let next: string | undefined;
  const table = new Table<Task>("Tasks", columns(context), (task) => task.id);
  const problem = h("p", { class: "problem", role: "alert" });
  const empty = h("p", { class: "empty", hidden: true });
  const where = h("span", { class: "where", role: "status" });
  const turn = (change: () => void) => () => {
    change();
    asking.now();
  };
  const newest = h("button", { type: "button", text: "First page", on: { click: turn(() => (cursors = [undefined])) } });
  const back = h("button", { type: "button", text: "Previous", on: { click: turn(() => cursors.pop()) } });
  const on = h("button", { type: "button", text: "Next", on: { click: turn(() => next !== undefined && cursors.push(next)) } });
  const show = (page: TaskPage) => {
    next = page.next;
    table.show(page.tasks);
    table.element.hidden = page.tasks.length === 0;
    setText(empty, emptyText(filter, cursors.length, next));
    empty.hidden = page.tasks.length > 0;
    setText(where, `Page ${count(cursors.length)}: ${plural(page.tasks.length, "task")}${page.dropped > 0 ? `. The history has dropped ${plural(page.dropped, "ended task")}` : ""}`);
    newest.disabled = back.disabled = cursors.length === 1;
    on.disabled = next === undefined;
  };
  const ask = async (signal: AbortSignal) => {
    try {
      const page = await pageFrom(context.client, filter, cursors.at(-1), signal, (looks) => {
        if (looks % kCheapLooks === 0) setText(where, `Looked at ${count(looks * 1000)} tasks so far`);
      });
      setText(problem, "");
      show(page);
      return page.looks <= kCheapLooks ? kFreshMs : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(problem, explain(error));
    }
    return kFreshMs;
  };
  const asking = poll(ask);
  const form = filterForm(filter, (wanted) => {
    filter = wanted;
    cursors = [undefined];
    history.replaceState(null, "", addressOf(filter));
    asking.now();
  });
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1", text: "Tasks" }), form),
    problem, table.element, empty, h("nav", { class: "pager", "aria-label": "Pages of tasks" }, where, newest, back, on));
  return { title: "Tasks", element, stop: () => asking.stop() };
}

function emptyText(filter: TaskFilter, page: number, next: string | undefined): string {
  if (next !== undefined) return "None among the tasks looked at so far. Next looks further.";
  if (page > 1) return "There are no more.";
  return Object.values(filter).some(Boolean) ? "No task fits this filter." : "No task is known. `covey submit echo hello` puts one in.";
}

function filterForm(filter: TaskFilter, changed: (filter: TaskFilter) => void): HTMLElement {
  const how = h("select", { id: "task-how" }, h("option", { value: "", text: "all" }),
    h("optgroup", { label: "not ended" }, ...kUnfinishedStates.map((value) => h("option", { value, text: words(value) }))),
    h("optgroup", { label: "ended" }, h("option", { value: "completed", text: "in any way" }), ...kStatuses.map((value) => h("option", { value: `status:${value}`, text: words(value) }))));
  how.value = filter.how;
  const field = (name: "function" | "label", text: string) => h("input", { id: `task-${name}`, type: "search", value: text, autocomplete: "off", spellcheck: "false", size: "12" });
  const ofFunction = field("function", filter.function), label = field("label", filter.label);
  const id = h("input", { id: "task-id", type: "search", autocomplete: "off", spellcheck: "false", size: "18", placeholder: "00c0ffee00c0ffee-17", "aria-describedby": "task-id-wrong" });
  const wrong = h("span", { id: "task-id-wrong", class: "problem", role: "alert" });
  const tell = () => changed({ ...filter, how: how.value, function: ofFunction.value.trim(), label: label.value.trim() });
  for (const input of [how, ofFunction, label]) input.addEventListener("change", tell);
  const form = h("form", { class: "filters", role: "search" },
    labelled("State", how), labelled("Function", ofFunction), labelled("Label", label), labelled("Open", id), wrong);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = id.value.trim();
    setText(wrong, wanted === "" || isTaskId(wanted) ? "" : "An id looks like 00c0ffee00c0ffee-17.");
    if (wanted === "") tell();
    else if (isTaskId(wanted)) location.hash = taskUrl(wanted);
  });
  // Enter in any field submits, and a browser wants a button for that.
  form.append(h("button", { type: "submit", class: "unseen", tabindex: "-1", text: "Search" }));
  return form;
}
