"""Runs other systems on Covey's experiments, then Covey beside them, and says how many times better or worse it is.

Writes to the --out folder: results.json (what bench/report/render.py draws), ratios.txt, ratios.md and ratios.json. Every
system runs in a network namespace of its own with only the loopback interface, and everything it started is ended with it.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import compare
import covey_side
import isolate
import plan as plans

HERE = pathlib.Path(__file__).resolve().parent
# (system, scheme) in the order in which they run.
RUNS = (("ipyparallel", "leastload"), ("ipyparallel", "pure"), ("dask", ""), ("ray", ""), ("hyperqueue", ""))


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def listed(allowed):
    def parse(text):
        chosen = tuple(dict.fromkeys(part for part in text.replace(",", " ").split()))
        unknown = [part for part in chosen if part not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(allowed)}")
        return chosen
    return parse


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, once: shows within minutes that everything works")
    parser.add_argument("--systems", type=listed(plans.SYSTEMS), default=plans.SYSTEMS, metavar="LIST",
                        help=f"of {','.join(plans.SYSTEMS)}")
    parser.add_argument("--experiments", type=listed(plans.EXPERIMENTS), default=plans.EXPERIMENTS, metavar="LIST",
                        help=f"of {','.join(plans.EXPERIMENTS)}")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("report/peers"), metavar="FOLDER",
                        help="where results and ratios go (report/peers)")
    parser.add_argument("--covey", type=pathlib.Path, default=HERE.parents[1] / "build/release/covey", metavar="FILE",
                        help="Covey's executable (build/release/covey)")
    parser.add_argument("--map-engines", type=lambda text: tuple(int(part) for part in text.split(",")), metavar="LIST",
                        help="engines of the map experiment (4,31,63)")
    parser.add_argument("--map-seconds", type=float, metavar="S",
                        help="ideal time of each map (2); at 1 ms on 63 engines a slow peer takes a hundred times that")
    parser.add_argument("--timeout", type=float, default=7200, metavar="S", help="for each system (7200)")
    return parser.parse_args(arguments)


def plan_of(options):
    if options.quick:
        plan = plans.quick(options.experiments, options.map_seconds)
    else:
        plan = plans.Plan(experiments=options.experiments, map_seconds=options.map_seconds or 2.0)
    if options.map_engines:
        plan.map_engines = options.map_engines
    return plan


def has_work(system, experiments):
    """HyperQueue runs programs and nothing else, and the Python systems do not run programs."""
    return ("exec" in experiments) if system == "hyperqueue" else bool(set(experiments) - {"exec"})


def run_peer(system, scheme, plan, folder, timeout_s):
    """Returns (rows, what went wrong or None)."""
    own = folder / f"{system}{scheme}"[:12]
    own.mkdir()
    rows_file, log_file = own / "rows.jsonl", own / "log"
    environment = {**os.environ, "HOME": str(own), "TMPDIR": str(own), "PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1",
                   "RAY_USAGE_STATS_ENABLED": "0"}
    words = [sys.executable, str(HERE / f"{system}_peer.py"), "--plan", json.dumps(plan.to_json()), "--rows", str(rows_file),
             "--folder", str(own)] + (["--scheme", scheme] if scheme else [])
    with open(log_file, "w", encoding="utf-8") as log:
        status = isolate.run(words, timeout_s, environment, errors=log)
    rows, last_words = [json.loads(line) for line in read(rows_file).splitlines()], read(log_file).splitlines()[-15:]
    name = f"{system} {scheme}".strip()
    shutil.rmtree(own, ignore_errors=True)
    if status == 124:
        return rows, f"{name}: not done after {timeout_s:g} s"
    if status != 0:
        return rows, f"{name}: exit status {status}:\n" + "\n".join(last_words)
    return rows, None


def read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def machine():
    models = [line.split(":", 1)[1].strip() for line in read(pathlib.Path("/proc/cpuinfo")).splitlines() if line.startswith("model name")]
    return {"cores": os.cpu_count(), "model": models[0] if models else "unknown",
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def write(out, meta, rows, failures):
    """Everything so far; called after each system, so that an interrupted run leaves what it had."""
    out.mkdir(parents=True, exist_ok=True)
    found = compare.ratios(rows)
    document = {"meta": {**meta, "failures": failures}, "rows": rows}
    (out / "results.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    (out / "ratios.json").write_text(json.dumps(compare.as_json(found), indent=1), encoding="utf-8")
    (out / "ratios.txt").write_text(compare.as_text(found), encoding="utf-8")
    (out / "ratios.md").write_text(compare.as_markdown(found), encoding="utf-8")
    return found


def run_everything(options, plan, folder):
    meta = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "quick": plan.quick}
    rows, failures = [], []
    for system, scheme in RUNS:
        if system not in options.systems or not has_work(system, plan.experiments):
            continue
        say(f"{system} {scheme}".strip())
        found, failure = run_peer(system, scheme, plan, folder, options.timeout)
        rows += found
        failures += [failure] if failure else []
        write(options.out, {**meta, "machine": machine()}, rows, failures)
    if "covey" in options.systems:
        if options.covey.exists():
            found, more, failed = covey_side.run(options.covey.resolve(), plan, folder, options.timeout, say)
            rows, meta, failures = rows + found, {**more, **meta}, failures + failed
        else:
            failures.append(f"covey: {options.covey} is not there: build it, or name it with --covey")
    return write(options.out, {**meta, "machine": machine()}, rows, failures), failures


def main(arguments=None):
    options = parse(arguments)
    in_the_way = isolate.check()
    if in_the_way:
        print(f"peers: refusing to run without a network namespace: {in_the_way}", file=sys.stderr)
        return 1
    # A polite end takes the same way out as Ctrl-C, so that the namespaces and the folder go with it.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Short, since Ray makes Unix sockets below it, whose paths may have 107 characters.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cvp", dir="/tmp"))
    try:
        found, failures = run_everything(options, plan_of(options), folder)
    except KeyboardInterrupt:
        say(f"interrupted; what was measured is in {options.out}")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(compare.as_text(found) if found else "No ratios: Covey or every peer is missing.")
    for failure in failures:
        print(f"peers: {failure}", file=sys.stderr)
    print(f"Results are in {options.out}/results.json, ratios in {options.out}/ratios.md")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
