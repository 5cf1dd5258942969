// The style sheet's colours as a canvas needs them: computed, for the theme of the moment.
import { h } from "../ui/dom";

export function colour(name: string): string {
  const probe = h("span", { hidden: true });
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
