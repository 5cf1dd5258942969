// One engine: how it does, what it can run; to drain, to resume, to send away.
import { explain } from "../api/client";
import { age, count, duration, kNothing, rate, words } from "../format";
import type { EngineRow, State } from "../store/state";
import { confirm } from "../ui/confirm";
import { h, setText } from "../ui/dom";
import { facts } from "../ui/facts";
import { notice } from "../ui/notice";
import { memoryOf, setDraining } from "./engines";
import type { Context, View } from "./view";

export function engineView(context: Context, id: string): View {
  const about = facts<EngineRow>([
    { title: "State", cell: (engine) => ({ text: words(engine.state), state: engine.state }) },
    { title: "Slots", cell: (engine) => ({ text: count(engine.slots) }) },
    { title: "Tasks with it", cell: (engine) => ({ text: `${count(engine.tasks)} of ${count(engine.credit)} that it would take` }) },
    { title: "Rate", cell: (engine) => ({ text: rate(engine.perSecond) }) },
    { title: "Mean run", cell: (engine) => ({ text: engine.mean_run_us > 0 ? duration(engine.mean_run_us / 1e6) : kNothing }) },
    { title: "Memory", cell: (engine) => ({ text: memoryOf(engine) }) },
    { title: "Completed", cell: (engine) => ({ text: count(engine.completed) }) },
    { title: "Idle for", cell: (engine) => ({ text: engine.state === "idle" ? age(engine.idle_s) : kNothing }) },
    { title: "Up for", cell: (engine) => ({ text: age(engine.up_s) }) },
    { title: "Labels", broad: true, cell: (engine) => ({ text: engine.labels.join(", ") || kNothing }) },
    { title: "Functions", broad: true, cell: (engine) => ({ text: engine.functions.join(", ") || kNothing }) },
  ]);
  const name = h("span", { text: id });
  const gone = h("p", { class: "empty", hidden: true, text: "No engine with this id is here now." });
  const drain = h("button", { type: "button", text: "Drain", hidden: true });
  const leave = h("button", { type: "button", class: "danger", text: "Stop engine", hidden: true });
  const panel = h("div", { class: "panel" }, about.element);
  let engine: EngineRow | undefined;
  const update = (state: State) => {
    engine = state.engines.get(id);
    gone.hidden = engine !== undefined || state.enginesAt === undefined;
    panel.hidden = drain.hidden = leave.hidden = engine === undefined;
    if (!engine) return;
    setText(name, engine.name);
    setText(drain, engine.state === "draining" ? "Resume" : "Drain");
    about.show(engine);
  };
  drain.addEventListener("click", () => engine && void setDraining(context, engine, engine.state !== "draining"));
  leave.addEventListener("click", () => engine && void sendAway(context, engine));
  const element = h("section", { "aria-labelledby": "title" },
    h("div", { class: "bar" }, h("h1", { id: "title", tabindex: "-1" }, "Engine ", name), drain, leave),
    h("p", { class: "note id", text: id }), gone, panel);
  return { title: "Engine", element, update };
}

async function sendAway(context: Context, engine: EngineRow): Promise<void> {
  const sure = await confirm(`Stop ${engine.name}?`, "It ends its running tasks, gives the others back, and its process leaves. covey up starts another one in its place.", "Stop it");
  if (!sure) return;
  try {
    await context.client.delete(`v1/engines/${engine.id}`);
    notice(`${engine.name} leaves.`);
  } catch (error) {
    notice(explain(error), "failed");
  }
  context.feed.refreshEngines();
}
