// Says briefly what came of what the reader asked for; screen readers hear it.
import { h } from "./dom";

const kShownMs = 6000;
const region = h("div", { class: "notices", role: "status", "aria-live": "polite" });

export function noticeRegion(): HTMLElement {
  return region;
}

export function notice(text: string, kind: "done" | "failed" = "done"): void {
  const message = h("p", { class: `notice ${kind}`, text });
  region.replaceChildren(message);
  setTimeout(() => message.remove(), kind === "failed" ? 2 * kShownMs : kShownMs);
}
