// Cuts a long list into pages, and turns them.
import { count } from "../format";
import { h, setText } from "./dom";

export class Pager {
  readonly element: HTMLElement;
  private page = 0;
  private total = 0;
  private readonly where = h("span", { class: "where" });
  private readonly back: HTMLButtonElement;
  private readonly on: HTMLButtonElement;

  constructor(
    private readonly what: string,
    private readonly size: number,
    private readonly turned: () => void,
  ) {
    this.back = h("button", { type: "button", text: "Previous", on: { click: () => this.turn(-1) } });
    this.on = h("button", { type: "button", text: "Next", on: { click: () => this.turn(1) } });
    this.element = h("nav", { class: "pager", "aria-label": `Pages of ${what}` }, this.where, this.back, this.on);
  }

  first(): void {
    this.page = 0;
  }

  cut<T>(all: readonly T[]): T[] {
    this.total = all.length;
    this.page = Math.min(this.page, Math.max(0, Math.ceil(all.length / this.size) - 1));
    const from = this.page * this.size;
    const shown = all.slice(from, from + this.size);
    const range = shown.length < all.length ? `${count(from + 1)} to ${count(from + shown.length)} of ${count(all.length)}` : count(all.length);
    setText(this.where, `${range} ${this.what}`);
    this.back.disabled = this.page === 0;
    this.on.disabled = from + shown.length >= all.length;
    this.back.hidden = this.on.hidden = all.length <= this.size;
    this.element.hidden = all.length === 0;
    return shown;
  }

  private turn(by: number): void {
    this.page = Math.max(0, Math.min(this.page + by, Math.ceil(this.total / this.size) - 1));
    this.turned();
    // The button under the focus may have become useless: the other one is not.
    if (this.back.disabled && by < 0) this.on.focus();
    if (this.on.disabled && by > 0) this.back.focus();
  }
}
