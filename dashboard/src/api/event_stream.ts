// Follows /v1/events over fetch, since EventSource cannot send a token. Goes on after the last event that it has seen, and tries
// again when the stream ends, ever more slowly up to kMostPauseMs.
import { type ApiClient, ApiError } from "./client";
import { type ServerEvent, SseParser } from "./sse";

export interface StreamListener {
  opened(): void;
  event(event: ServerEvent): void;
  failed(error: ApiError): void; // and it will try again, unless it is stopped
}

const kFirstPauseMs = 500;
const kMostPauseMs = 8000;
const kSilenceMs = 20_000; // the controller says something every 15 s

export class EventStream {
  private readonly stopped = new AbortController();
  private lastId = "";

  constructor(
    private readonly client: ApiClient,
    private readonly path: string,
    private readonly listener: StreamListener,
  ) {}

  stop(): void {
    this.stopped.abort();
  }

  async run(): Promise<void> {
    let pause = kFirstPauseMs;
    while (!this.stopped.signal.aborted) {
      const began = Date.now();
      try {
        await this.follow();
        throw new ApiError(0, "The controller ended the stream of events.");
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        this.listener.failed(error instanceof ApiError ? error : new ApiError(0, "The stream of events broke off."));
      }
      if (Date.now() - began > kMostPauseMs) pause = kFirstPauseMs;
      await this.wait(pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, kMostPauseMs);
    }
  }

  private async follow(): Promise<void> {
    const silent = new AbortController();
    const signal = AbortSignal.any([this.stopped.signal, silent.signal]);
    const answer = await this.client.stream(this.path, signal, this.lastId ? { "Last-Event-ID": this.lastId } : {});
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) return;
    const parser = new SseParser();
    this.listener.opened();
    for (;;) {
      const timer = setTimeout(() => silent.abort(), kSilenceMs);
      const { value, done } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      for (const event of parser.push(value)) {
        if (event.type === "reset") this.lastId = "";
        else if (event.id) this.lastId = event.id;
        this.listener.event(event);
      }
    }
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.stopped.signal.addEventListener("abort", done, { once: true });
    });
  }
}
