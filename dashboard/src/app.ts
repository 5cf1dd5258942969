// The frame around the views: navigation, how fresh the figures are, the theme, and leaving.
import { type Place, placeOf, sectionOf } from "./router";
import type { LinkMode, State } from "./store/state";
import { type Theme, setTheme, theme } from "./theme";
import { h, setAttribute, setText } from "./ui/dom";
import { noticeRegion } from "./ui/notice";
import { benchmarkView } from "./views/benchmark";
import { benchmarksView } from "./views/benchmarks";
import { engineView } from "./views/engine";
import { enginesView } from "./views/engines";
import { mapView } from "./views/map";
import { mapsView } from "./views/maps";
import { overview } from "./views/overview";
import { taskView } from "./views/task";
import { tasksView } from "./views/tasks";
import type { Context, View } from "./views/view";

const kSections = [["overview", "Overview", "#/"], ["engines", "Engines", "#/engines"], ["tasks", "Tasks", "#/tasks"], ["maps", "Maps", "#/maps"],
  ["benchmarks", "Benchmarks", "#/benchmarks"]] as const;

const kLinkTexts: Record<LinkMode, string> = {
  connecting: "Connecting",
  live: "Live",
  polling: "Every 2 s",
  down: "No answer",
};

function viewOf(place: Place, context: Context): View {
  switch (place.view) {
    case "engines": return enginesView(context);
    case "engine": return engineView(context, place.id);
    case "tasks": return tasksView(context, place.filter);
    case "task": return taskView(context, place.id);
    case "maps": return mapsView(context);
    case "map": return mapView(context, place.id);
    case "benchmarks": return benchmarksView(context);
    case "benchmark": return benchmarkView(context, place.id);
    default: return overview(context);
  }
}

export class App {
  readonly element: HTMLElement;
  private readonly main = h("main", { id: "main" });
  private readonly links = new Map<string, HTMLElement>();
  private readonly link = h("span", { class: "link", role: "status" });
  private readonly problem = h("p", { class: "problem banner", role: "alert", hidden: true });
  private view: View | undefined;
  private endUpdates: (() => void) | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly context: Context,
    leave: () => void,
  ) {
    this.element = h("div", { class: "app" }, this.header(leave), this.problem, this.main, noticeRegion());
    addEventListener("hashchange", this.turn);
    this.show(false);
    void this.hideWhatIsNotServed();
    this.unsubscribe = context.store.subscribe((state) => this.tellLink(state));
  }

  stop(): void {
    removeEventListener("hashchange", this.turn);
    this.unsubscribe();
    this.endUpdates?.();
    this.view?.stop?.();
  }

  private header(leave: () => void): HTMLElement {
    for (const [name, title, href] of kSections) this.links.set(name, h("a", { href, text: title }));
    return h("header", {},
      h("a", { class: "skip", href: "#main", text: "Skip to content", on: { click: (event) => this.skip(event) } }),
      h("span", { class: "brand", text: "Covey" }),
      h("nav", { "aria-label": "Views" }, ...this.links.values()),
      this.link, themeSwitch(),
      h("button", { type: "button", class: "quiet", text: "Sign out", on: { click: leave } }));
  }

  // A controller without the routes of benchmarks has no use for their view.
  private async hideWhatIsNotServed(): Promise<void> {
    const link = this.links.get("benchmarks") as HTMLElement;
    link.hidden = true;
    try {
      const { paths } = await this.context.client.get<{ paths: object }>("openapi.json");
      link.hidden = !("/v1/benchmarks" in paths);
    } catch {
      // It does not answer now; the view stays hidden until the page is loaded again.
    }
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.focusTitle();
  }

  private readonly turn = (): void => this.show(true);

  private show(moveFocus: boolean): void {
    this.endUpdates?.();
    this.view?.stop?.();
    const place = placeOf(location.hash);
    const view = viewOf(place, this.context);
    this.view = view;
    this.main.replaceChildren(view.element);
    document.title = `${view.title} · Covey`;
    for (const [name, link] of this.links) setAttribute(link, "aria-current", name === sectionOf(place) ? "page" : undefined);
    this.endUpdates = view.update ? this.context.store.subscribe((state) => view.update?.(state)) : undefined;
    if (moveFocus) {
      scrollTo(0, 0);
      this.focusTitle();
    }
  }

  // Where a reader who cannot see the page goes on after it has turned.
  private focusTitle(): void {
    this.main.querySelector<HTMLElement>("#title")?.focus();
  }

  private tellLink(state: State): void {
    setText(this.link, kLinkTexts[state.link]);
    setAttribute(this.link, "data-link", state.link);
    setAttribute(this.link, "title", state.problem || "Figures come twice a second");
    const problem = state.link === "down" ? state.problem : "";
    setText(this.problem, problem);
    this.problem.hidden = problem === "";
  }
}

function themeSwitch(): HTMLElement {
  const select = h("select", { "aria-label": "Colours", class: "quiet" },
    ...(["auto", "light", "dark"] as const).map((value) => h("option", { value, text: { auto: "Auto", light: "Light", dark: "Dark" }[value] })));
  select.value = theme();
  select.addEventListener("change", () => setTheme(select.value as Theme));
  return select;
}
