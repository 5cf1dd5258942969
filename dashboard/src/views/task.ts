// A task's whole story: how it came to where it is, on which engine, what it gave or why it failed; to cancel or to run again.
import { ApiError, explain } from "../api/client";
import type { Task } from "../api/types";
import { count, duration, kNothing, time } from "../format";
import { engineUrl, taskUrl } from "../router";
import { confirm } from "../ui/confirm";
import { h, setText } from "../ui/dom";
import { facts } from "../ui/facts";
import { notice } from "../ui/notice";
import { poll } from "../ui/poll";
import { isUnfinished, markOf, outputsOf, type Step, storyOf, tookOf, valueText } from "./task_words";
import type { Context, View } from "./view";

const kUnfinishedMs = 1000;

export function taskView(context: Context, id: string): View {
  const engineName = (engine: string) => context.store.state.engines.get(engine)?.name ?? engine;
  const about = facts<Task>([
    { title: "State", cell: markOf },
    { title: "Function", cell: (task) => ({ text: task.function ?? kNothing }) },
    { title: "Label", cell: (task) => (task.label ? { text: task.label } : undefined) },
    { title: "Engine", cell: (task) => (task.engine ? { text: engineName(task.engine), href: engineUrl(task.engine), title: task.engine } : undefined) },
    { title: "Attempts", cell: (task) => ({ text: task.attempts === undefined ? kNothing : count(task.attempts) }) },
    { title: "Submitted", cell: (task) => (task.submitted ? { text: time(task.submitted) } : undefined) },
    { title: "Took", cell: (task) => ({ text: tookOf(task) }) },
    { title: "Ran", cell: (task) => (task.duration_us === undefined ? undefined : { text: duration(task.duration_us / 1e6) }) },
  ]);
  const story = h("ol", { class: "story" });
  const results = h("div", { class: "results" });
  const problem = h("p", { class: "problem", role: "alert" });
  const cancel = h("button", { type: "button", class: "danger", text: "Cancel", hidden: true });
  const again = h("button", { type: "button", text: "Run again", hidden: true });
  let shown = "";
  const show = (task: Task, why: string | undefined) => {
    const text = JSON.stringify([task, why]);
    if (text === shown) return;
    shown = text;
    about.show(task);
    story.replaceChildren(...storyOf(task, why, engineName).map(step));
    results.replaceChildren(...resultsOf(task));
    setText(cancel, isUnfinished(task) ? "Cancel" : "Forget");
    cancel.hidden = task.state === "cancelling";
    again.hidden = isUnfinished(task);
  };
  const ask = async (signal: AbortSignal): Promise<number | undefined> => {
    try {
      const [task, told] = await Promise.all([context.client.get<Task>(`v1/tasks/${id}`, signal), whyOf(context, id, signal)]);
      setText(problem, "");
      show({ ...told, ...task }, told?.why);
      return isUnfinished(task) ? kUnfinishedMs : undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      setText(problem, explain(error));
      return error instanceof ApiError && error.status === 404 ? undefined : kUnfinishedMs * 3;
    }
  };
  const asking = poll(ask);
  cancel.addEventListener("click", () => void cancelTask(context, id, cancel.textContent === "Forget", () => asking.now()));
  again.addEventListener("click", () => void retry(context, id, () => asking.now()));
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1" }, "Task ", h("span", { class: "id", text: id })), again, cancel),
    problem, h("div", { class: "panel" }, about.element),
    h("section", { class: "panel", "aria-labelledby": "story-title" }, h("h2", { id: "story-title", text: "Story" }), story),
    results);
  return { title: `Task ${id}`, element, stop: () => asking.stop() };
}

// It is not known of every task: the latest ones only.
async function whyOf(context: Context, id: string, signal: AbortSignal): Promise<Task | undefined> {
  try {
    return await context.client.get<Task>(`v1/tasks/${id}/explain`, signal);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

function step({ what, when, detail }: Step): HTMLElement {
  return h("li", {}, h("span", { class: "what", text: what }), " ", when !== "" && when !== kNothing && h("span", { class: "when", text: when }),
    detail !== "" && h("p", { class: "note", text: detail }));
}

function resultsOf(task: Task): HTMLElement[] {
  const value = valueText(task);
  const texts = [
    ...(task.error ? [{ title: "Error", text: task.error, bad: true }] : []),
    ...(value !== undefined ? [{ title: "Value", text: value, bad: false }] : []),
    ...outputsOf(task).map((output) => ({ ...output, bad: false })),
  ];
  return texts.map(({ title, text, bad }) => {
    const name = `result-${title.toLowerCase().replace(/\W+/g, "-")}`;
    return h("section", { class: "panel", "aria-labelledby": name }, h("h2", { id: name, text: title }),
      h("pre", { class: bad ? "text problem" : "text", tabindex: "0", "aria-labelledby": name, role: "group", text }));
  });
}

async function cancelTask(context: Context, id: string, forget: boolean, then: () => void): Promise<void> {
  const sure = forget
    ? await confirm("Forget this task?", "Its result and its story are dropped.", "Forget it")
    : await confirm("Cancel this task?", "If it runs already, its engine stops it.", "Cancel it");
  if (!sure) return;
  try {
    await context.client.delete(`v1/tasks/${id}`);
    notice(forget ? "The task is forgotten." : "The task is being cancelled.");
    if (forget) location.hash = "#/tasks";
    else then();
  } catch (error) {
    notice(explain(error), "failed");
  }
}

async function retry(context: Context, id: string, then: () => void): Promise<void> {
  try {
    const task = await context.client.post<Task>(`v1/tasks/${id}/retry`);
    notice("It runs again.");
    if (task && task.id !== id) location.hash = taskUrl(task.id);
    else then();
  } catch (error) {
    notice(explain(error), "failed");
  }
}
