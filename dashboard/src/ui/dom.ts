// Makes elements. Text is always set as text, so that nothing that tasks or engines say can become markup.
type Child = Node | string | undefined | false;

interface Props {
  class?: string | undefined;
  text?: string | undefined;
  on?: Partial<{ [K in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[K]) => void }>;
  [attribute: string]: unknown;
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name === "text") element.textContent = value as string;
    else if (name === "on") {
      for (const [type, listener] of Object.entries(value as object)) element.addEventListener(type, listener as EventListener);
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

// A control that has an id, with its name before it.
export function labelled(text: string, control: HTMLElement): HTMLElement {
  return h("span", { class: "labelled" }, h("label", { for: control.id, text }), control);
}

// Touches the page only if the text is another one.
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// Puts `wanted` into `parent` in this order, and moves no node that is in its place.
export function setChildren(parent: Element, wanted: readonly Node[]): void {
  const keep = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!keep.has(child)) child.remove();
  wanted.forEach((node, i) => {
    const here = parent.childNodes[i];
    if (here !== node) parent.insertBefore(node, here ?? null);
  });
}
