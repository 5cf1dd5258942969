// A list of names and values about one thing, whose values change in place.
import { type Cell, fill } from "./table";
import { h } from "./dom";

export interface Fact<T> {
  title: string;
  broad?: boolean; // has a row of its own
  cell(about: T): Cell | undefined; // undefined: left out
}

export function facts<T>(all: readonly Fact<T>[]): { element: HTMLElement; show(about: T): void } {
  const entries = all.map((fact) => {
    const value = h("dd");
    return { fact, value, row: h("div", { class: fact.broad ? "broad" : undefined }, h("dt", { text: fact.title }), value) };
  });
  const element = h("dl", { class: "facts" }, ...entries.map(({ row }) => row));
  const show = (about: T) => {
    for (const { fact, value, row } of entries) {
      const cell = fact.cell(about);
      row.hidden = cell === undefined;
      if (cell) fill(value, cell);
    }
  };
  return { element, show };
}
