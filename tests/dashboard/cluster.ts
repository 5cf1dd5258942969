// A real cluster for the tests: `covey up` in a folder of its own, and its HTTP API as a test wants to use it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const kExecutable = resolve(process.env["COVEY_EXECUTABLE"] ?? "../../build/release/covey");

export class Cluster {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly url: string,
    readonly token: string,
  ) {}

  static async start(engines: number): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), "covey-dashboard-"));
    const child = spawn(kExecutable, ["up", "-n", String(engines), "--json", "--engine-arg=--allow-exec"], {
      env: { ...process.env, COVEY_HOME: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const line = await firstLine(child);
    const { http, token } = JSON.parse(line) as { http: string; token: string };
    return new Cluster(child, folder, http, token);
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  get address(): string {
    return `${this.url}#token=${this.token}`;
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = { method, headers: { Authorization: `Bearer ${this.token}` } };
    if (body !== undefined) init.body = new Blob([JSON.stringify(body)], { type: "application/json" });
    const answer = await fetch(new URL(path, this.url), init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  put(task: object): Promise<{ id: string }> {
    return this.ask("POST", "v1/tasks", task);
  }

  run(task: object): Promise<{ id: string; status?: string }> {
    return this.ask("POST", "v1/tasks?wait=60s", task);
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("no output of covey up");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("covey up ended before it was up");
}
