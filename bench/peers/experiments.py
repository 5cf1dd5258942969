"""The experiments, written once for every Python system: a system says how it submits and waits, this says what and when
the clock is read. Runs inside the network namespace that peers.py makes, as the main program of <system>_peer.py.
"""

import argparse
import json
import os
import pathlib
import statistics
import time
import traceback

from plan import Plan


class Peer:
    """What a system must be able to do. start() returns when every engine has answered."""

    system = ""
    scheme = ""
    transport = "plain"

    def start(self, engines, folder):
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def submit_echo(self, payload):
        """Submits echo(payload) and returns at once with what collect() takes."""
        raise NotImplementedError

    def collect(self, handles):
        """Waits for all and returns their values: a result counts when the caller has it."""
        raise NotImplementedError

    def submit_sleeps(self, dt, n):
        """Submits n sleep(dt) in the system's own map and returns its handles."""
        raise NotImplementedError

    def forget(self):
        """Drops what the system remembers of earlier tasks, outside the clock."""

    push = None  # push(payload): to one named engine and no way back; None where the system has no such thing


class Recorder:
    """Appends rows to a file as they come, so that what a system had measured before it failed is kept."""

    def __init__(self, path, peer):
        self.path, self.peer = path, peer
        # Some systems' own processes write to standard output; from here on that is the log, and progress lines keep the
        # way out for themselves.
        self.progress = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def attempt(self, experiment, engines, work):
        """Runs one experiment. What it throws becomes a row that says so, and the next experiment has its turn."""
        # Should this process not come back from it, the row that says so is written by the one that waits for it.
        self.write({"begun": experiment, "engines": engines})
        try:
            work()
        except Exception as error:  # whatever a foreign system throws
            traceback.print_exc()
            self.add(experiment, engines, error=f"{type(error).__name__}: {error}"[:500])

    def write(self, line):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def add(self, experiment, engines, **fields):
        self.write({"experiment": experiment, "system": self.peer.system, "scheme": self.peer.scheme,
                    "transport": self.peer.transport, "engines": engines, **fields})
        facts = ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in fields.items())
        print(f"  {' '.join(filter(None, (self.peer.system, self.peer.scheme)))} {experiment} on {engines}: {facts}",
              file=self.progress, flush=True)


def timed(submit, collect):
    """(sent_s, roundtrip_s, values), as the seed page's test functions define them."""
    start = time.perf_counter()
    handles = submit()
    sent = time.perf_counter()
    values = collect(handles)
    end = time.perf_counter()
    return sent - start, end - start, values


def median_of(repeat, once, forget):
    """The repetition whose roundtrip is the median: its sent and roundtrip times belong together."""
    runs = []
    for _ in range(repeat):
        runs.append(once())
        forget()
    return sorted(runs, key=lambda run: run[1])[(len(runs) - 1) // 2]


def latency(peer, plan, record):
    def once(n):
        sent, roundtrip, values = timed(lambda: [peer.submit_echo("") for _ in range(n)], peer.collect)
        if values != [""] * n:
            raise RuntimeError(f"echo('') of {n} tasks returned something else")
        return sent, roundtrip

    once(8)  # the first tasks of a system pay for imports and connections
    for n in plan.counts(peer.system):
        sent, roundtrip = median_of(plan.repeats(n), lambda: once(n), peer.forget)
        record.add("latency", plan.engines, n=n, sent_s=sent, roundtrip_s=roundtrip, sent_tasks_per_s=n / sent,
                   roundtrip_tasks_per_s=n / roundtrip)


def sequential(peer, plan, record):
    times = []
    for index in range(plan.sequential + 10):
        start = time.perf_counter()
        peer.collect([peer.submit_echo("")])
        if index >= 10:
            times.append((time.perf_counter() - start) * 1e6)
    cuts = statistics.quantiles(times, n=1000, method="inclusive")
    # With fewer than a thousand samples p99.9 would be the maximum under another name.
    rare = {"p999_us": cuts[998]} if len(times) >= 1000 else {}
    record.add("sequential", plan.engines, n=len(times), mode="", p50_us=cuts[499], p99_us=cuts[989], **rare)
    peer.forget()


def array_of(size):
    import numpy

    return numpy.random.random(size // 8)


def throughput(peer, plan, record):
    for size in plan.sizes:
        payload, count = array_of(size), plan.arrays(size)
        # Engines import numpy and grow their buffers with the first array of a size.
        peer.collect([peer.submit_echo(payload) for _ in range(2 * plan.engines)])

        def once():
            sent, roundtrip, values = timed(lambda: [peer.submit_echo(payload) for _ in range(count)], peer.collect)
            if len(values) != count or any(value.nbytes != payload.nbytes for value in values):
                raise RuntimeError(f"echo of arrays of {size} bytes returned something else")
            return sent, roundtrip

        once_payload(peer, plan, record, "throughput", payload, count, once)


def once_payload(peer, plan, record, experiment, payload, count, once):
    sent, roundtrip = median_of(plan.repeat, once, peer.forget)
    record.add(experiment, plan.engines, bytes=payload.nbytes, count=count, sent_s=sent, roundtrip_s=roundtrip,
               gbit_per_s=payload.nbytes * count * 8e-9 / roundtrip)


def push(peer, plan, record):
    if peer.push is None:
        return
    for size in plan.sizes:
        payload, count = array_of(size), plan.arrays(size)
        once_payload(peer, plan, record, "push", payload, count,
                     lambda: timed(lambda: [peer.push(payload) for _ in range(count)], peer.collect)[:2])


def map_(peer, plan, record, engines):
    peer.collect(peer.submit_sleeps(0.001, engines * 2))
    for dt in plan.dts:
        n = plan.sleeps(engines, dt)
        sent, roundtrip, _ = timed(lambda: peer.submit_sleeps(dt, n), peer.collect)
        peer.forget()
        ideal = n / engines * dt
        record.add("map", engines, dt=dt, n=n, sent_s=sent, roundtrip_s=roundtrip, wall_s=roundtrip, ideal_s=ideal,
                   efficiency=ideal / roundtrip, overhead_us_per_task=(roundtrip - ideal) / n * 1e6)


def with_engines(peer, engines, folder, record, work):
    """A cluster of that many engines for the length of work()."""
    def start():
        begin = time.perf_counter()
        peer.start(engines, folder)
        record.add("startup", engines, wall_s=time.perf_counter() - begin)
        started.append(True)

    started = []
    record.attempt("startup", engines, start)
    if started:
        work()
        record.attempt("startup", engines, peer.stop)


def run_all(peer, plan, folder, record):
    """All experiments that the plan asks for, with as few starts as it takes."""
    small = [one for one in (latency, sequential, throughput, push) if one.__name__ in plan.experiments]
    mapped = list(plan.map_engines) if "map" in plan.experiments else []

    def map_on(engines):
        record.attempt("map", engines, lambda: map_(peer, plan, record, engines))

    def on_usual_engines():
        for one in small:
            record.attempt(one.__name__, plan.engines, lambda one=one: one(peer, plan, record))
        if plan.engines in mapped:
            mapped.remove(plan.engines)
            map_on(plan.engines)

    if small:
        with_engines(peer, plan.engines, folder, record, on_usual_engines)
    for engines in mapped:
        with_engines(peer, engines, folder, record, lambda engines=engines: map_on(engines))


def main(make, run=run_all):
    """The main program of a peer: make(scheme) → Peer, then run(peer, plan, folder, record)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--rows", required=True, type=pathlib.Path)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--scheme", default="")
    options = parser.parse_args()
    peer = make(options.scheme)
    # An experiment that fails has its row; only what no row can say is told by the exit status.
    run(peer, Plan.from_json(json.loads(options.plan)), options.folder, Recorder(options.rows, peer))
