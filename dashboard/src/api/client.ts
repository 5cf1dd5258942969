// Asks the controller that served the page. Knows the token, and turns every failure into one kind of error.
import type { Problem } from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: there was no answer
    message: string,
    readonly expected = "",
  ) {
    super(message);
  }
  get isTokenRefused(): boolean {
    return this.status === 401;
  }
}

const kTimeoutMs = 15_000;

export class ApiClient {
  constructor(private readonly token: string) {}

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    const answer = await this.send("GET", path, signal);
    return (await answer.json()) as T;
  }

  async text(path: string, signal?: AbortSignal): Promise<string> {
    return (await this.send("GET", path, signal)).text();
  }

  async post<T = unknown>(path: string, body?: unknown): Promise<T> {
    return (await (await this.send("POST", path, undefined, body)).json()) as T;
  }

  async delete(path: string): Promise<void> {
    await this.send("DELETE", path);
  }

  // An answer whose body comes in pieces and may never end: only its beginning has a deadline.
  async stream(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), kTimeoutMs);
    try {
      return await this.checked(path, { headers: { ...this.headers(), ...headers }, signal: AbortSignal.any([signal, late.signal]) });
    } finally {
      clearTimeout(timer);
    }
  }

  private headers(): Record<string, string> {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  private send(method: string, path: string, signal?: AbortSignal, body?: unknown): Promise<Response> {
    const deadline = AbortSignal.timeout(kTimeoutMs);
    const init: RequestInit = { method, headers: this.headers(), signal: signal ? AbortSignal.any([signal, deadline]) : deadline };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...this.headers(), "Content-Type": "application/json" };
    }
    return this.checked(path, init);
  }

  private async checked(path: string, init: RequestInit): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(new URL(path, document.baseURI), { ...init, cache: "no-store", credentials: "same-origin" });
    } catch (error) {
      if (init.signal?.aborted && (init.signal.reason as Error | undefined)?.name === "AbortError") throw error;
      throw new ApiError(0, "The controller does not answer.", "a controller that runs, at the address of this page");
    }
    if (answer.ok) return answer;
    throw await problemOf(answer);
  }
}

async function problemOf(answer: Response): Promise<ApiError> {
  try {
    const problem = (await answer.json()) as Partial<Problem>;
    return new ApiError(answer.status, problem.detail ?? problem.title ?? `HTTP status ${answer.status}`, problem.expected);
  } catch {
    return new ApiError(answer.status, `The controller answered with the HTTP status ${answer.status}.`);
  }
}

export function explain(error: unknown): string {
  if (error instanceof ApiError) return error.expected ? `${error.message} Wanted: ${error.expected}.` : error.message;
  return error instanceof Error ? error.message : String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
