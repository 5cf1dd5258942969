// What every view is, and what it may use.
import type { ApiClient } from "../api/client";
import type { Feed } from "../feed";
import type { State } from "../store/state";
import type { Store } from "../store/store";

export interface Context {
  client: ApiClient;
  store: Store;
  feed: Feed;
}

export interface View {
  title: string;
  element: HTMLElement;
  update?(state: State): void;
  stop?(): void;
}
