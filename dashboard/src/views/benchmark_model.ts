// Benchmarks: what is asked for, and what is drawn of the rows that come. Pure. The rows are those of `covey bench`, which
// bench/README.md describes.
import { bytes, count, duration, percent, rate, short } from "../format";

export type Experiment = "latency" | "throughput" | "map";
export type Row = Readonly<Record<string, unknown>>;

export interface Benchmark {
  id: string;
  state: string; // running until it is completed, failed or cancelled
  experiment: string;
  started: string;
  ended?: string;
  row_count: number;
  row_total: number;
  rows?: Row[]; // not of those in a list
  message?: string; // what is measured now
  error?: string; // why it failed
}

export const isRunning = (benchmark: Pick<Benchmark, "state">): boolean => benchmark.state === "running";

export function markOf(benchmark: Pick<Benchmark, "state">): string {
  return benchmark.state === "completed" ? "ok" : benchmark.state;
}

// ---- what is asked for ----

export interface Wanted {
  name: "n" | "bytes" | "dt";
  title: string;
  proposal: string;
}

export const kExperiments: Record<Experiment, { title: string; what: string; wanted: Wanted }> = {
  latency: { title: "Latency", what: "Many empty tasks at a time: how many a second go out and come back.", wanted: { name: "n", title: "Tasks at a time", proposal: "1, 4, 16, 64, 256, 1024, 4096" } },
  throughput: { title: "Throughput", what: "Arrays of growing size, there and back.", wanted: { name: "bytes", title: "Sizes in bytes", proposal: "1024, 16384, 262144, 1048576" } },
  map: { title: "Map", what: "Many sleeps: how much of the engines' time is used.", wanted: { name: "dt", title: "Milliseconds of each sleep", proposal: "1, 4, 16, 64" } },
};

// Numbers with commas or spaces between; a text says what is wrong with them.
export function numbersOf(text: string): number[] | string {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) return "A benchmark wants one number at least, such as 1, 4, 16.";
  const wrong = parts.find((part) => !(Number(part) > 0));
  return wrong === undefined ? parts.map(Number) : `“${wrong}” is no number above 0.`;
}

export function requestOf(experiment: Experiment, numbers: readonly number[]): Record<string, unknown> {
  return { experiment, [kExperiments[experiment].wanted.name]: numbers };
}

// ---- what is drawn ----

export interface Plot {
  title: string;
  x: number[];
  lines: { title: string; values: (number | undefined)[] }[];
  xFormat(value: number): string;
  format(value: number | undefined): string;
  axisFormat(value: number): string;
}

interface Sort {
  title: string;
  x: string;
  lines: Record<string, string>; // by the row's field
  xFormat(value: number): string;
  format(value: number | undefined): string;
  axisFormat(value: number): string;
}

const kPlots: Record<Experiment, Sort[]> = {
  latency: [
    { title: "Tasks a second, by tasks at a time", x: "n", lines: { roundtrip_tasks_per_s: "there and back", sent_tasks_per_s: "sent" }, xFormat: short, format: rate, axisFormat: short },
    { title: "Time there and back, by tasks at a time", x: "n", lines: { roundtrip_s: "all of them" }, xFormat: short, format: duration, axisFormat: duration },
  ],
  throughput: [{ title: "Gigabits a second, by size", x: "bytes", lines: { gbit_per_s: "there and back" }, xFormat: bytes, format: gbit, axisFormat: short }],
  map: [
    { title: "Efficiency, by duration of a sleep", x: "dt", lines: { efficiency: "of the ideal" }, xFormat: duration, format: share, axisFormat: share },
    { title: "Overhead of a task, by duration of a sleep", x: "dt", lines: { overhead_us_per_task: "overhead" }, xFormat: duration, format: micro, axisFormat: micro },
  ],
};

function gbit(value: number | undefined): string {
  return value === undefined ? "–" : `${short(value)} Gbit/s`;
}
function share(value: number | undefined): string {
  return value === undefined ? "–" : percent(value, 1);
}
function micro(value: number | undefined): string {
  return duration(value === undefined ? undefined : value / 1e6);
}

// Of rows that lack what a plot wants, such as those of bare NATS, nothing is drawn.
export function plotsOf(experiment: string, rows: readonly Row[]): Plot[] {
  return (kPlots[experiment as Experiment] ?? []).map((sort) => {
    const fields = Object.keys(sort.lines);
    const points = rows.filter((row) => row["experiment"] === experiment && number(row, sort.x) !== undefined && fields.some((field) => number(row, field) !== undefined));
    const sorted = [...points].sort((left, right) => (number(left, sort.x) ?? 0) - (number(right, sort.x) ?? 0));
    return {
      ...sort,
      x: sorted.map((row) => number(row, sort.x) ?? 0),
      lines: fields.map((field) => ({ title: sort.lines[field] ?? field, values: sorted.map((row) => number(row, field)) })),
    };
  });
}

function number(row: Row, field: string): number | undefined {
  const value = row[field];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

// Everything that the rows hold, for the table beside the plots.
export function cellText(field: string, value: unknown): string {
  if (typeof value !== "number") return value === undefined || value === null ? "–" : String(value);
  if (field === "bytes") return bytes(value);
  if (field === "dt" || field.endsWith("_s") && !field.endsWith("_per_s")) return duration(value);
  if (field.endsWith("_us") || field === "overhead_us_per_task") return micro(value);
  if (field === "efficiency") return share(value);
  return Number.isInteger(value) ? count(value) : short(value);
}
