// Keeps the store up to date: figures, maps and comings and goings from the event stream, or from polling while there is none;
// engines from polling, since their figures change all the time.
import { type ApiClient, ApiError, explain } from "./api/client";
import { EventStream } from "./api/event_stream";
import { figuresOf } from "./api/metrics";
import type { ServerEvent } from "./api/sse";
import type { CoveyMap, Engine, EnginePage, Figures } from "./api/types";
import { FigureHistory, withEngines, withFigures, withLink, withMap, withMaps } from "./store/state";
import type { Store } from "./store/store";

const kEnginePage = 1000;
const kEnginesMs = 2000;
const kManyEnginesMs = 5000; // beyond a page
const kPollMs = 2000;
const kHiddenMs = 60_000; // a page that nobody sees lets its stream go: browsers allow six for an address

export class Feed {
  private stream: EventStream | undefined;
  private readonly history = new FigureHistory();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private stopped = false;

  constructor(
    private readonly client: ApiClient,
    private readonly store: Store,
    private readonly tokenRefused: (why: string) => void,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.visibility);
    this.open();
    void this.loadMaps();
    void this.pollEngines();
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.visibility);
    this.stream?.stop();
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  // Something was asked of an engine: look soon.
  refreshEngines(): void {
    this.later("engines", 100, () => void this.pollEngines());
  }

  async loadMaps(): Promise<void> {
    await this.attempt(async () => {
      const { maps } = await this.client.get<{ maps: CoveyMap[] }>("v1/maps");
      this.store.update((state) => withMaps(state, maps));
    });
  }

  // ---- the event stream ----

  private open(): void {
    this.stream = new EventStream(this.client, "v1/events?types=engine,map,queues", {
      opened: () => {
        clearTimeout(this.timers.get("poll"));
        this.store.update((state) => withLink(state, "live"));
      },
      event: (event) => this.take(event),
      failed: (error) => this.lost(error),
    });
    void this.stream.run();
  }

  private take(event: ServerEvent): void {
    if (event.type === "queues") this.takeFigures(JSON.parse(event.data) as Figures);
    else if (event.type === "map") {
      const map = JSON.parse(event.data) as CoveyMap;
      this.store.update((state) => withMap(state, map));
    } else if (event.type === "engine") this.refreshEngines();
    else if (event.type === "reset") {
      this.history.forget();
      void this.loadMaps();
      this.refreshEngines();
    }
  }

  private takeFigures(figures: Figures): void {
    const sample = this.history.take(figures, performance.now());
    this.store.update((state) => withFigures(state, figures, sample));
  }

  private lost(error: ApiError): void {
    if (this.refused(error)) return;
    this.later("poll", 200, () => void this.poll());
  }

  // ---- polling ----

  private async poll(): Promise<void> {
    try {
      this.takeFigures(figuresOf(await this.client.text("metrics")));
      await this.loadMaps();
      if (this.timers.has("poll")) this.store.update((state) => withLink(state, "polling", "Without the event stream: looking every 2 s."));
    } catch (error) {
      if (this.refused(error)) return;
      this.history.forget();
      this.store.update((state) => withLink(state, "down", `${explain(error)} Trying again.`));
    }
    if (this.store.state.link !== "live") this.later("poll", kPollMs, () => void this.poll());
  }

  private async pollEngines(): Promise<void> {
    const at = performance.now();
    await this.attempt(async () => {
      const engines = document.hidden ? undefined : await this.allEngines();
      if (engines) this.store.update((state) => withEngines(state, engines, at));
    });
    this.later("engines", this.store.state.engines.size > kEnginePage ? kManyEnginesMs : kEnginesMs, () => void this.pollEngines());
  }

  private async allEngines(): Promise<Engine[]> {
    const all: Engine[] = [];
    for (let cursor: string | undefined = "0"; cursor !== undefined; ) {
      const page: EnginePage = await this.client.get<EnginePage>(`v1/engines?limit=${kEnginePage}&cursor=${cursor}`);
      all.push(...page.engines);
      cursor = page.next;
    }
    return all;
  }

  // ---- the rest ----

  // What fails here is told by the stream's and the poll's state, but for a token that is no longer good.
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.refused(error);
    }
  }

  private refused(error: unknown): boolean {
    if (!(error instanceof ApiError) || !error.isTokenRefused || this.stopped) return false;
    this.tokenRefused(error.message);
    return true;
  }

  private later(name: string, ms: number, work: () => void): void {
    clearTimeout(this.timers.get(name));
    if (!this.stopped) this.timers.set(name, setTimeout(work, ms));
  }

  private readonly visibility = (): void => {
    if (document.hidden) {
      this.later("hidden", kHiddenMs, () => {
        this.stream?.stop();
        this.stream = undefined;
      });
      return;
    }
    clearTimeout(this.timers.get("hidden"));
    if (!this.stream && !this.stopped) {
      this.history.forget();
      void this.loadMaps();
      this.open();
    }
    this.refreshEngines();
  };
}
