// What the controller's HTTP API answers, as far as the dashboard reads it. docs/api.md and /openapi.json describe it.

export type EngineState = "idle" | "busy" | "joining" | "draining";

export interface Engine {
  id: string;
  name: string;
  state: EngineState;
  slots: number;
  tasks: number;
  credit: number;
  completed: number;
  mean_run_us: number;
  memory_bytes?: number; // 0: not known
  up_s: number;
  idle_s: number;
  labels: string[];
  functions: string[];
}

export interface EnginePage {
  engines: Engine[];
  next?: string;
}

export type TaskState =
  | "waiting" | "delayed" | "ready" | "assigned" | "held" | "completed" | "submitted" | "dropped" | "cancelling";

export interface Task {
  id: string;
  state: TaskState;
  function?: string;
  label?: string;
  submitted?: string;
  status?: string;
  value?: unknown;
  value_base64?: string;
  codec?: string;
  value_kept?: boolean;
  value_bytes?: number;
  error?: string;
  attempts?: number;
  retries?: number;
  engine?: string;
  started?: string;
  duration_us?: number;
  took_s?: number;
  since_s?: number;
  why?: string;
  after?: unknown[];
  follow?: unknown[];
  stdout?: string;
  stdout_base64?: string;
  stdout_truncated?: boolean;
  stderr?: string;
  stderr_base64?: string;
  stderr_truncated?: boolean;
}

export interface TaskPage {
  tasks: Task[];
  dropped: number;
  next?: string;
}

export type MapState = "feeding" | "running" | "completed" | "broken" | "cancelled";

export interface CoveyMap {
  id: string;
  state: MapState;
  function: string;
  label?: string;
  inputs: number;
  completed: number;
  failed: number;
  unfinished: number;
  created: string;
  elapsed_s: number;
  mean_per_s: number;
  rate_per_s?: number;
  left_s?: number;
  broken?: string;
  results: { kept: number; dropped: number; bytes: number };
}

export interface MapResult {
  position: number;
  index: number;
  task: string;
  status: string;
  value?: unknown;
  value_base64?: string;
  value_kept?: boolean;
  value_bytes?: number; // of one that is too large for the line
  error?: string;
  attempts?: number;
  engine?: string;
  duration_us?: number;
}

export interface Lane {
  priority: number;
  ready: number;
  targets?: string[];
  labels?: string[];
  follow?: string;
  alone?: boolean;
  at_most_once?: boolean;
}

export interface Queues {
  queues: Lane[];
  ready: number;
  unfinished: number;
  left_out: number;
}

// The event `queues`, twice a second.
export interface Figures {
  tasks: {
    unfinished: number;
    ready: number;
    assigned: number;
    submitted: number;
    completed: number;
    failed: number;
    requeued: number;
  };
  engines: { live: number; slots: number; busy_slots: number; draining?: number; lost: number };
  // Bucket i counts tasks that took less than 2^i microseconds, and not less than half of that.
  latency?: { buckets: number[] };
}

export interface EngineEvent {
  event: "joined" | "left" | "lost";
  engine: string;
  name: string;
  slots: number;
}

// RFC 9457.
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  field?: string;
  expected?: string;
}
