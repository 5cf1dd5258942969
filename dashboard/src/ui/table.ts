// A table whose rows stay the same elements while their cells change, so that focus, selection and width hold still. It shows a
// page of its rows at a time.
import { h, setAttribute, setChildren, setText } from "./dom";

export interface Cell {
  text: string;
  title?: string;
  href?: string; // the text is a link
  state?: string; // the text is a state, with a mark of its own
  node?: () => HTMLElement; // made once for each row; whoever makes it keeps it up to date
}

export interface Column<T> {
  key: string;
  title: string;
  numeric?: boolean;
  wide?: boolean; // takes what room is left, and is cut off there
  optional?: boolean; // left out on narrow screens
  cell(row: T): Cell;
  order?: (row: T) => number | string; // sortable by this
}

interface Row {
  element: HTMLTableRowElement;
  cells: HTMLElement[];
}

export interface Sort {
  key: string;
  down: boolean;
}

export class Table<T> {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private rows = new Map<string, Row>();
  private readonly heads = new Map<string, HTMLElement>();
  sort: Sort | undefined;

  constructor(
    caption: string,
    private readonly columns: readonly Column<T>[],
    private readonly idOf: (row: T) => string,
    private readonly resorted: () => void = () => undefined,
  ) {
    const head = h("tr", {}, ...columns.map((column) => this.head(column)));
    const table = h("table", {}, h("caption", { class: "unseen", text: caption }), h("thead", {}, head), this.body);
    // What scrolls has to be reachable by the keyboard.
    this.element = h("div", { class: "table", role: "group", "aria-label": caption, tabindex: "0" }, table);
  }

  show(rows: readonly T[]): void {
    const shown = new Map<string, Row>();
    for (const row of rows) {
      const id = this.idOf(row);
      const known = this.rows.get(id) ?? this.make(row);
      this.columns.forEach((column, i) => fill(known.cells[i] as HTMLElement, column.cell(row)));
      shown.set(id, known);
    }
    this.rows = shown;
    setChildren(this.body, [...shown.values()].map((row) => row.element));
  }

  // A row's element, while it is shown.
  node(id: string): HTMLElement | undefined {
    return this.rows.get(id)?.element;
  }

  sorted(rows: readonly T[]): T[] {
    const order = this.columns.find((column) => column.key === this.sort?.key)?.order;
    if (!order) return [...rows];
    const sign = this.sort?.down ? -1 : 1;
    return [...rows].sort((left, right) => sign * compare(order(left), order(right)) || compare(this.idOf(left), this.idOf(right)));
  }

  private head(column: Column<T>): HTMLElement {
    const cell = h("th", { scope: "col", class: classes(column) });
    if (!column.order) cell.textContent = column.title;
    else cell.append(h("button", { type: "button", text: column.title, on: { click: () => this.toggle(column.key) } }));
    this.heads.set(column.key, cell);
    return cell;
  }

  private toggle(key: string): void {
    this.sort = { key, down: this.sort?.key === key ? !this.sort.down : false };
    for (const [name, head] of this.heads) {
      setAttribute(head, "aria-sort", name === key ? (this.sort.down ? "descending" : "ascending") : undefined);
    }
    this.resorted();
  }

  private make(row: T): Row {
    const cells = this.columns.map((column, i) => {
      const cell = i === 0 ? h("th", { scope: "row", class: classes(column) }) : h("td", { class: classes(column) });
      const node = column.cell(row).node;
      if (node) cell.append(node());
      return cell;
    });
    return { element: h("tr", {}, ...cells), cells };
  }
}

function classes(column: { numeric?: boolean; wide?: boolean; optional?: boolean }): string | undefined {
  return [column.numeric && "number", column.wide && "wide", column.optional && "optional"].filter(Boolean).join(" ") || undefined;
}

export function fill(element: HTMLElement, cell: Cell): void {
  if (cell.node) return;
  let inner: Element = element;
  if (cell.href !== undefined) inner = element.querySelector("a") ?? element.appendChild(h("a"));
  else if (cell.state !== undefined) inner = element.querySelector("span") ?? element.appendChild(h("span", { class: "state" }));
  if (cell.href !== undefined) setAttribute(inner, "href", cell.href);
  if (cell.state !== undefined) setAttribute(inner, "data-state", cell.state);
  setAttribute(inner, "title", cell.title);
  setText(inner, cell.text);
}

function compare(left: number | string, right: number | string): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}
