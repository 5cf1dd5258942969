// A chart over time that draws itself as samples come: uPlot inside a figure, with a legend that has the numbers, for the pointer's
// place or the latest.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../theme";
import { h, setText } from "../ui/dom";
import { colour } from "./colour";

export interface Line {
  title: string;
  colour: string; // a property of the style sheet
  dash?: number[];
  fill?: boolean;
}

export interface ChartOptions {
  title: string;
  lines: readonly Line[];
  format(value: number | undefined): string;
  axisFormat?(value: number): string;
  logarithmic?: boolean;
  logarithmicX?: boolean; // where x is given
  height?: number;
  xFormat?(value: number): string; // of the legend; x is seconds that end at 0 unless given
  points?: boolean; // unless false, single points are marked where x is given
  least?: number; // what the scale shows at least
}

type Values = (number | undefined)[];

// Seconds between the marks of a time that ends now.
const kSteps = [5, 10, 15, 30, 60, 120];

// The last minute at least, so that what has just begun can be seen, and up to all that is kept.
function window(oldest: number | null): [number, number] {
  const wanted = [60, 120, 180, 300].find((seconds) => seconds >= -(oldest ?? 0)) ?? 300;
  return [-wanted, 0];
}

function thinned(values: readonly number[], most: number): number[] {
  const every = Math.ceil(values.length / most);
  return values.filter((_, i) => i % every === 0);
}

export class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | undefined;
  private readonly box = h("div", { class: "plot", "aria-hidden": "true" });
  private readonly numbers: HTMLElement[];
  private readonly place = h("span", { class: "place" });
  private data: uPlot.AlignedData;
  private readonly resize: ResizeObserver;
  private readonly endTheme: () => void;

  constructor(private readonly options: ChartOptions) {
    this.data = [[], ...options.lines.map(() => [])];
    this.numbers = options.lines.map(() => h("b"));
    const legend = options.lines.map((line, i) =>
      h("li", {}, h("i", { class: `key ${line.colour.slice(2)}${line.dash ? " dashed" : ""}` }), `${line.title} `, this.numbers[i]));
    this.element = h("figure", { class: "chart" },
      h("figcaption", {}, h("h2", { text: options.title }), this.place, h("ul", { class: "legend" }, ...legend)), this.box);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.box);
    this.endTheme = onThemeChange(() => this.rebuild());
  }

  show(x: number[], lines: Values[]): void {
    this.data = [x, ...lines.map((values) => values.map((value) => value ?? null))];
    this.plot?.setData(this.data);
    this.legend();
  }

  stop(): void {
    this.resize.disconnect();
    this.endTheme();
    this.plot?.destroy();
  }

  private fit(): void {
    const width = this.box.clientWidth;
    if (width === 0) return;
    if (this.plot) this.plot.setSize({ width, height: this.height() });
    else this.rebuild();
  }

  private height(): number {
    return this.options.height ?? 150;
  }

  private rebuild(): void {
    if (this.box.clientWidth === 0) return;
    this.plot?.destroy();
    this.plot = new uPlot(this.settings(), this.data, this.box);
  }

  private settings(): uPlot.Options {
    const { options } = this;
    const text = colour("--muted"), grid = colour("--line");
    const axis: uPlot.Axis = {
      stroke: text, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif", gap: 4,
    };
    return {
      width: this.box.clientWidth,
      height: this.height(),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
      scales: { x: this.xScale(), y: this.scale() },
      axes: [
        { ...axis, size: 22, space: 60, ...this.xMarks(), values: (_, ticks) => ticks.map((tick) => this.xTick(tick)) },
        { ...axis, size: 56, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : (options.axisFormat ?? options.format)(tick))) },
      ],
      series: [{}, ...options.lines.map((line) => this.series(line))],
      hooks: { setCursor: [() => this.legend()] },
    };
  }

  // On a logarithmic scale the marks are the points themselves, as many as have room.
  private xMarks(): Partial<uPlot.Axis> {
    if (!this.options.xFormat) return { incrs: kSteps };
    if (!this.options.logarithmicX) return {};
    const room = () => Math.max(2, Math.floor(this.box.clientWidth / 64));
    return { splits: () => thinned(this.data[0] as number[], room()), filter: (_, splits) => splits };
  }

  private xScale(): uPlot.Scale {
    if (!this.options.xFormat) return { time: false, range: (_, low) => window(low) };
    if (!this.options.logarithmicX) return { time: false };
    return { time: false, distr: 3, log: 2, range: (_, low, high) => (low === null ? [1, 1024] : [low / 1.3, high * 1.3]) };
  }

  private scale(): uPlot.Scale {
    if (this.options.logarithmic) return { distr: 3, log: 10 };
    const least = this.options.least ?? 1;
    return { range: (_, __, high) => [0, Math.max(least, (high ?? 0) * 1.08) || 1] };
  }

  private series(line: Line): uPlot.Series {
    const stroke = colour(line.colour);
    return {
      stroke,
      width: 1.5,
      points: { show: Boolean(this.options.xFormat) && this.options.points !== false, size: 5 },
      spanGaps: false,
      ...(line.dash ? { dash: line.dash } : {}),
      ...(line.fill ? { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)") } : {}),
    };
  }

  private xTick(tick: number): string {
    if (this.options.xFormat) return this.options.xFormat(tick);
    if (tick === 0) return "now";
    return Math.abs(tick) >= 60 ? `−${Math.round(-tick / 6) / 10} min` : `−${Math.round(-tick)} s`;
  }

  private legend(): void {
    const x = this.data[0];
    const index = this.plot?.cursor.idx ?? undefined;
    const at = index ?? x.length - 1;
    this.numbers.forEach((number, i) => setText(number, this.options.format((this.data[i + 1]?.[at] as number | null | undefined) ?? undefined)));
    const where = x[at];
    setText(this.place, index === undefined || where === undefined ? "" : this.xTick(where));
  }
}
