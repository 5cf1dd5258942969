// Numbers, times and sizes as people read them. Pure. A figure has three significant digits and its unit.

const kNarrow = "\u202F"; // a narrow no-break space, between digits and before units
export const kNothing = "–";

export function count(value: number): string {
  if (!Number.isFinite(value)) return kNothing;
  const digits = Math.abs(Math.round(value)).toString();
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, kNarrow);
  return Math.round(value) < 0 ? `−${grouped}` : grouped;
}

function significant(value: number): string {
  if (value === 0) return "0";
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

// 12 345 as 12.3 k, with no unit of its own.
export function short(value: number): string {
  if (!Number.isFinite(value)) return kNothing;
  for (const [scale, prefix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= scale * 0.9995) return `${significant(value / scale)}${kNarrow}${prefix}`;
  }
  return Number.isInteger(value) ? value.toString() : significant(value);
}

export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined || !Number.isFinite(perSecond)) return kNothing;
  const scaled = short(Math.abs(perSecond) < 0.005 ? 0 : perSecond);
  return /[kMG]$/.test(scaled) ? `${scaled}/s` : `${scaled}${kNarrow}/s`;
}

// 0.25 µs … 3 d 4 h.
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return kNothing;
  if (seconds === 0) return `0${kNarrow}s`;
  if (seconds < 0.9995e-3) return `${significant(seconds * 1e6)}${kNarrow}µs`;
  if (seconds < 0.9995) return `${significant(seconds * 1e3)}${kNarrow}ms`;
  if (seconds < 59.95) return `${significant(seconds)}${kNarrow}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return parts([Math.floor(whole / 60), "min"], [whole % 60, "s"]);
  if (whole < 86_400) return parts([Math.floor(whole / 3600), "h"], [Math.floor((whole % 3600) / 60), "min"]);
  return parts([Math.floor(whole / 86_400), "d"], [Math.floor((whole % 86_400) / 3600), "h"]);
}

// How long something has been so: whole seconds, which do not flicker.
export function age(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return kNothing;
  return seconds < 60 ? `${Math.floor(seconds)}${kNarrow}s` : duration(Math.floor(seconds));
}

function parts(...pairs: [number, string][]): string {
  return pairs
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value}${kNarrow}${unit}`)
    .join(" ");
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return kNothing;
  for (const [scale, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]] as const) {
    if (value >= scale) return `${significant(value / scale)}${kNarrow}${unit}`;
  }
  return `${value}${kNarrow}B`;
}

export function percent(part: number, whole: number): string {
  if (whole <= 0) return kNothing;
  const share = (100 * part) / whole;
  // 100 % is said only of what is complete.
  const shown = part < whole && share > 99 ? Math.floor(share * 10) / 10 : share;
  return `${shown >= 99.95 || shown === 0 ? shown.toFixed(0) : shown.toFixed(1)}${kNarrow}%`;
}

// RFC 3339 in the reader's own time zone; with the date unless it is today's.
export function time(text: string | undefined, now = new Date()): string {
  if (!text) return kNothing;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const two = (value: number, width = 2) => value.toString().padStart(width, "0");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
  if (at.toDateString() === now.toDateString()) return clock;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
}

// A state or status as words.
export function words(text: string | undefined): string {
  return text ? text.replace(/_/g, " ") : kNothing;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
