// How far something is: a bar that reads as a figure, with the failed share at its end.
import { percent } from "../format";
import { h, setAttribute } from "./dom";

export interface Progress {
  element: HTMLElement;
  show(done: number, failed: number, whole: number, open: boolean): void;
}

// `open`: the whole is not known yet, as while inputs still come in.
export function progress(label: string): Progress {
  const ok = h("span", { class: "bar-fill" });
  const bad = h("span", { class: "bar-fill bad" });
  const element = h("div", { class: "bar-frame", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, ok, bad);
  const show = (done: number, failed: number, whole: number, open: boolean) => {
    const share = (part: number) => (whole > 0 ? Math.min(1, part / whole) : 0);
    ok.style.transform = `scaleX(${share(done)})`;
    bad.style.transform = `scaleX(${share(failed)})`;
    setAttribute(element, "aria-valuenow", open ? undefined : String(Math.floor(100 * share(done))));
    setAttribute(element, "aria-valuetext", open ? `${done} so far` : percent(done, whole));
  };
  return { element, show };
}
