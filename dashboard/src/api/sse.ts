// Reads server-sent events out of the text of a stream, as the HTML standard defines them. Pure: text in, events out.

export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

export class SseParser {
  retryMs: number | undefined;
  private rest = "";
  private type = "";
  private data: string[] = [];
  private id = "";
  private first = true;

  // The events that this piece of text completes.
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    this.rest += text;
    if (this.first && this.rest.length > 0) {
      this.first = false;
      if (this.rest.startsWith("\uFEFF")) this.rest = this.rest.slice(1);
    }
    for (;;) {
      const end = this.rest.search(/[\r\n]/);
      if (end < 0) return events;
      // A carriage return at the very end may be half of a line's end.
      if (this.rest[end] === "\r" && end + 1 === this.rest.length) return events;
      const skip = this.rest.startsWith("\r\n", end) ? 2 : 1;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + skip);
      const event = this.line(line);
      if (event) events.push(event);
    }
  }

  private line(line: string): ServerEvent | undefined {
    if (line === "") return this.dispatch();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (name === "event") this.type = value;
    else if (name === "data") this.data.push(value);
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  private dispatch(): ServerEvent | undefined {
    const data = this.data.join("\n");
    const type = this.type || "message";
    const empty = this.data.length === 0;
    this.data = [];
    this.type = "";
    return empty ? undefined : { type, data, id: this.id };
  }
}
