import { describe, expect, it } from "vitest";
import { SseParser } from "../src/api/sse";

const kStream = "retry: 1000\n\nid: e-1\nevent: queues\ndata: {\"a\":1}\n\n: hello\n\nid: e-2\nevent: map\ndata: one\ndata: two\n\n";
const kEvents = [{ type: "queues", data: '{"a":1}', id: "e-1" }, { type: "map", data: "one\ntwo", id: "e-2" }];

describe("SseParser", () => {
  it("reads events wherever the stream is cut", () => {
    for (let at = 0; at <= kStream.length; ++at) {
      const parser = new SseParser();
      expect([...parser.push(kStream.slice(0, at)), ...parser.push(kStream.slice(at))], `cut at ${at}`).toEqual(kEvents);
      expect(parser.retryMs).toBe(1000);
    }
  });
  it("takes every kind of line end, one byte at a time", () => {
    const parser = new SseParser();
    const events = [...kStream.replace(/\n/g, "\r\n")].flatMap((byte) => parser.push(byte));
    expect(events).toEqual(kEvents);
  });
  it("passes nothing on that has no data", () => {
    expect(new SseParser().push("event: queues\n\nid: 3\n\n")).toEqual([]);
  });
});
