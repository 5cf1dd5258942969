// Reads a piece of an NDJSON answer that may go on for as long as a map runs: up to `most` lines, or what has come when nothing
// more comes for `quietMs`. Whoever reads on keeps the controller from dropping results, so it always lets go.
import type { ApiClient } from "./client";

export interface Piece<T> {
  lines: T[];
  ended: boolean; // the answer itself ended: there is nothing more
}

export async function readPiece<T>(client: ApiClient, path: string, most: number, quietMs: number, signal: AbortSignal): Promise<Piece<T>> {
  const enough = new AbortController();
  const both = AbortSignal.any([signal, enough.signal]);
  const answer = await client.stream(path, both);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const piece: Piece<T> = { lines: [], ended: false };
  if (!reader) return { ...piece, ended: true };
  let rest = "";
  try {
    while (piece.lines.length < most) {
      const got = await within(reader.read(), quietMs);
      if (got === undefined) break;
      rest += got.value ?? "";
      const texts = rest.split("\n");
      rest = got.done ? "" : (texts.pop() ?? "");
      for (const text of texts) if (text !== "") piece.lines.push(JSON.parse(text) as T);
      if (got.done) {
        piece.ended = true;
        break;
      }
    }
  } finally {
    enough.abort();
  }
  if (piece.lines.length > most) {
    piece.lines.length = most;
    piece.ended = false;
  }
  return piece;
}

function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  promise.catch(() => undefined); // when it is let go of, its reading fails, and nobody waits for that
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
