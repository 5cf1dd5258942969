// Light or dark: as the system has it, or as the reader chose. The style sheet does the rest.
export type Theme = "auto" | "light" | "dark";

const kKey = "covey-theme";
const listeners = new Set<() => void>();

export function theme(): Theme {
  const kept = localStorage.getItem(kKey);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function setTheme(wanted: Theme): void {
  if (wanted === "auto") localStorage.removeItem(kKey);
  else localStorage.setItem(kKey, wanted);
  apply();
}

export function startTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  apply();
}

// For what is drawn on a canvas, which no style sheet reaches.
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply(): void {
  const wanted = theme();
  if (wanted === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}
