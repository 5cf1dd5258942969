// Holds the state and tells those who draw it, at most once for each frame of the screen.
import { initial, type State } from "./state";

export class Store {
  private now: State = initial;
  private readonly listeners = new Set<(state: State) => void>();
  private scheduled = false;

  get state(): State {
    return this.now;
  }

  update(change: (state: State) => State): void {
    const next = change(this.now);
    if (next === this.now) return;
    this.now = next;
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page draws no frames: it is told as well, by a timer, so that its title is right.
    const tell = () => {
      this.scheduled = false;
      for (const listener of [...this.listeners]) listener(this.now);
    };
    if (document.hidden) setTimeout(tell, 500);
    else requestAnimationFrame(tell);
  }

  // Calls at once, and then after each change; the answer ends it.
  subscribe(listener: (state: State) => void): () => void {
    this.listeners.add(listener);
    listener(this.now);
    return () => this.listeners.delete(listener);
  }
}
