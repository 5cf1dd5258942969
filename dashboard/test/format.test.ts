import { describe, expect, it } from "vitest";
import { age, bytes, count, duration, percent, plural, rate, short, time } from "../src/format";

const plain = (text: string) => text.replace(/\u202F/g, " ");

describe("figures", () => {
  it("have three significant digits and a unit", () => {
    expect([0.00000025, 0.0042, 0.5, 9.994, 59.9, 61, 3660, 90_000].map((value) => plain(duration(value)))).toEqual(
      ["0.25 µs", "4.20 ms", "500 ms", "9.99 s", "59.9 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
    expect([0, 12.345, 999.7, 12_345, 2.5e6].map((value) => plain(rate(value)))).toEqual(["0 /s", "12.3 /s", "1.00 k/s", "12.3 k/s", "2.50 M/s"]);
    expect([512, 2048, 5 * 2 ** 20].map((value) => plain(bytes(value)))).toEqual(["512 B", "2.00 KiB", "5.00 MiB"]);
    expect(plain(short(20_000))).toBe("20.0 k");
  });
  it("group thousands from five digits on", () => {
    expect([9999, 10_000, 1_234_567, -20_000].map((value) => plain(count(value)))).toEqual(["9999", "10 000", "1 234 567", "−20 000"]);
  });
  it("say 100 % only of what is complete", () => {
    expect(plain(percent(99_999, 100_000))).toBe("99.9 %");
    expect(plain(percent(5, 5))).toBe("100 %");
    expect(percent(0, 0)).toBe("–");
  });
  it("are a dash where there are none", () => {
    expect([duration(undefined), rate(undefined), age(Number.NaN), time(undefined)]).toEqual(["–", "–", "–", "–"]);
  });
  it("count things in words", () => {
    expect([plural(1, "task"), plural(2, "task")]).toEqual(["1 task", "2 tasks"]);
  });
});

describe("time", () => {
  it("leaves the date out today only", () => {
    const now = new Date(2030, 4, 5, 12);
    expect(time(new Date(2030, 4, 5, 1, 2, 3, 4).toISOString(), now)).toBe("01:02:03.004");
    expect(time(new Date(2030, 4, 4, 1, 2, 3, 4).toISOString(), now)).toBe("2030-05-04 01:02:03.004");
  });
});
