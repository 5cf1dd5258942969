// What the dashboard knows, and how each piece of news changes it. Pure: the time is passed in, nothing is asked here.
import type { CoveyMap, Engine, Figures } from "../api/types";
import { difference, percentile } from "./latency";

export type LinkMode = "connecting" | "live" | "polling" | "down";

export interface EngineRow extends Engine {
  perSecond: number | undefined; // tasks ended between the two latest looks
}

export interface Sample {
  at: number; // ms, of the clock that the page was given
  ok: number; // per second
  failed: number;
  ready: number;
  assigned: number;
  p50: number | undefined; // s
  p99: number | undefined;
}

export interface State {
  link: LinkMode;
  problem: string; // why it is not live, for people
  figures: Figures | undefined;
  samples: readonly Sample[];
  engines: ReadonlyMap<string, EngineRow>;
  enginesAt: number | undefined; // when they were looked at; undefined: never
  maps: readonly CoveyMap[] | undefined; // the latest first
}

export const kSamples = 600; // five minutes
const kLeastGapMs = 250; // a stream that resumes brings many at once: they are one
const kLatencyWindow = 10; // samples: five seconds

export const initial: State = {
  link: "connecting",
  problem: "",
  figures: undefined,
  samples: [],
  engines: new Map(),
  enginesAt: undefined,
  maps: undefined,
};

export function withLink(state: State, link: LinkMode, problem = ""): State {
  return state.link === link && state.problem === problem ? state : { ...state, link, problem };
}

// ---- figures and their history ----

export class FigureHistory {
  private last: { at: number; figures: Figures } | undefined;
  private buckets: number[][] = [];

  // undefined: too soon after the last one, or the first, or of another controller.
  take(figures: Figures, at: number): Sample | undefined {
    const before = this.last;
    if (before && at - before.at < kLeastGapMs) return undefined;
    this.last = { at, figures };
    const { p50, p99 } = this.latency(figures.latency?.buckets ?? []);
    if (!before) return undefined;
    const seconds = (at - before.at) / 1000;
    const ok = figures.tasks.completed - before.figures.tasks.completed;
    const failed = figures.tasks.failed - before.figures.tasks.failed;
    if (ok < 0 || failed < 0) return undefined;
    return { at, ok: ok / seconds, failed: failed / seconds, ready: figures.tasks.ready, assigned: figures.tasks.assigned, p50, p99 };
  }

  // After a gap: the next figures begin anew.
  forget(): void {
    this.last = undefined;
    this.buckets = [];
  }

  private latency(now: number[]): { p50: number | undefined; p99: number | undefined } {
    const oldest = this.buckets[0];
    this.buckets.push(now);
    if (this.buckets.length > kLatencyWindow) this.buckets.shift();
    const counts = oldest ? difference(now, oldest) : [];
    return { p50: percentile(counts, 0.5), p99: percentile(counts, 0.99) };
  }
}

export function withFigures(state: State, figures: Figures, sample: Sample | undefined): State {
  const samples = sample ? [...state.samples.slice(-(kSamples - 1)), sample] : state.samples;
  return { ...state, figures, samples };
}

// ---- engines ----

export function withEngines(state: State, engines: readonly Engine[], at: number): State {
  const seconds = state.enginesAt === undefined ? 0 : (at - state.enginesAt) / 1000;
  const rows = new Map<string, EngineRow>();
  for (const engine of engines) {
    const before = state.engines.get(engine.id);
    const ended = before ? engine.completed - before.completed : -1;
    rows.set(engine.id, { ...engine, perSecond: seconds > 0 && ended >= 0 ? ended / seconds : undefined });
  }
  return { ...state, engines: rows, enginesAt: at };
}

// ---- maps ----

const kOver: ReadonlySet<string> = new Set(["completed", "broken", "cancelled"]);
export const isOver = (map: CoveyMap): boolean => kOver.has(map.state);

export function withMaps(state: State, maps: readonly CoveyMap[]): State {
  return { ...state, maps };
}

// One map's news: in its place, or at the front if it is new.
export function withMap(state: State, map: CoveyMap): State {
  const maps = state.maps ?? [];
  const known = maps.some((other) => other.id === map.id);
  return { ...state, maps: known ? maps.map((other) => (other.id === map.id ? map : other)) : [map, ...maps] };
}

export function withoutMap(state: State, id: string): State {
  return { ...state, maps: (state.maps ?? []).filter((map) => map.id !== id) };
}
