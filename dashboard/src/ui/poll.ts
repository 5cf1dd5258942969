// Asks again and again while a view is shown, and not while the page is hidden.
import { isAbort } from "../api/client";

export interface Poll {
  now(): void; // ask at once
  stop(): void;
}

// `ask` answers after how many milliseconds to ask again; undefined: never.
export function poll(ask: (signal: AbortSignal) => Promise<number | undefined>): Poll {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  const run = async () => {
    clearTimeout(timer);
    running?.abort();
    const own = new AbortController();
    running = own;
    let pause: number | undefined = 2000;
    try {
      if (!document.hidden) pause = await ask(own.signal);
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
    if (!own.signal.aborted && pause !== undefined) timer = setTimeout(() => void run(), pause);
  };
  void run();
  const stop = () => {
    clearTimeout(timer);
    running?.abort();
  };
  return { now: () => void run(), stop };
}
