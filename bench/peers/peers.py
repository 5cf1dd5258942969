"""Runs other systems on Covey's experiments, Covey beside them, and prints how many times better or worse Covey is.

Systems:
  ipyparallel   IPython parallel, its leastload scheduler and its pure ZeroMQ scheme
  dask, ray     functions in Python, one process per engine
  hyperqueue    runs /bin/true, one worker
  posix-spawn   bare posix_spawn of /bin/true in 4 processes: the limit of exec
  covey         covey bench, from build/release/covey

Experiments: latency (n times echo('')), sequential (one at a time), throughput (echo of arrays), push (arrays to one engine,
IPython parallel only), map (sleeps on 4, 31 and 63 engines), exec (4,096 times /bin/true).

Each system runs in namespaces of its own, with only the loopback interface, and whatever it started is ended with it.
What has been measured is written after each system. A system that fails has rows with the field "error", and the rest goes on.
"""

import argparse
import datetime
import importlib.metadata
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
import sheet

HERE = pathlib.Path(__file__).resolve().parent
SCHEMES = {"ipyparallel": ("leastload", "pure")}
PACKAGES = ("ipyparallel", "distributed", "ray", "hyperqueue")
EXAMPLES = """examples:
  bench/peers/run --quick                          the whole table in some minutes
  bench/peers/run                                  all sizes; an hour or more
  bench/peers/run --quick --only ray,covey --experiments latency,sequential
  bench/peers/run --only hyperqueue,posix-spawn,covey --markdown exec.md
  scripts/python bench/report/render.py report/peers.json report/peers     draws the rows

exit status: 0 all measured, 1 something failed, 2 wrong usage, 130 ended by Ctrl-C"""


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def listed(allowed):
    def parse(text):
        chosen = tuple(dict.fromkeys(text.replace(",", " ").split()))
        unknown = [part for part in chosen if part not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: choose from {','.join(allowed)}")
        return chosen
    return parse


def engines_list(text):
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = (0,)
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected numbers of engines, such as 4,31,63")
    return counts


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text}: expected a number of seconds above 0")
    return value


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/peers/run", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer points, each measured once: the table in some minutes")
    parser.add_argument("--only", type=listed(plans.SYSTEMS), default=plans.SYSTEMS, metavar="SYSTEM,…",
                        help="these systems; ratios need covey among them (all)")
    parser.add_argument("--experiments", type=listed(plans.EXPERIMENTS), default=plans.EXPERIMENTS, metavar="NAME,…",
                        help="these experiments (all)")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("report/peers.json"), metavar="FILE",
                        help="rows as covey bench writes them, ratios and floors (report/peers.json)")
    parser.add_argument("--markdown", type=pathlib.Path, default=pathlib.Path("report/peers.md"), metavar="FILE",
                        help="the table (report/peers.md)")
    parser.add_argument("--covey", type=pathlib.Path, default=HERE.parents[1] / "build/release/covey", metavar="FILE",
                        help="Covey's executable (build/release/covey)")
    parser.add_argument("--map-engines", type=engines_list, metavar="N,…", help="engines of the map experiment (4,31,63; quick 4,63)")
    parser.add_argument("--map-seconds", type=positive, metavar="S",
                        help="ideal time of each map (2, quick 0.25); at 1 ms on 63 engines a slow peer takes a hundred times that")
    parser.add_argument("--timeout", type=positive, metavar="S", help="for each system and scheme (7200, quick 600)")
    return parser.parse_args(arguments)


def plan_of(options):
    made = plans.quick(options.experiments) if options.quick else plans.Plan(experiments=options.experiments)
    made.map_engines = options.map_engines or made.map_engines
    made.map_seconds = options.map_seconds or made.map_seconds
    return made


def has_work(system, experiments):
    """HyperQueue and posix_spawn run programs and nothing else, and the Python systems do not run programs."""
    return ("exec" in experiments) if system in ("hyperqueue", "posix-spawn") else bool(set(experiments) - {"exec"})


def run_peer(system, scheme, plan, folder, timeout_s, rows):
    """Runs one system in its namespaces and adds its rows, those that say what failed among them; also when interrupted."""
    own = folder / f"{system}{scheme}"[:12]
    own.mkdir()
    rows_file, log_file = own / "rows.jsonl", own / "log"
    environment = {**os.environ, "HOME": str(own), "TMPDIR": str(own), "PYTHONDONTWRITEBYTECODE": "1", "DO_NOT_TRACK": "1",
                   "RAY_USAGE_STATS_ENABLED": "0"}
    program = HERE / f"{system.replace('-', '_')}_peer.py"
    words = [sys.executable, "-B", str(program), "--plan", json.dumps(plan.to_json()), "--rows", str(rows_file),
             "--folder", str(own), "--scheme", scheme]
    status = 0
    try:
        with open(log_file, "w", encoding="utf-8") as log:
            status = isolate.run(words, timeout_s, environment, errors=log)
    finally:
        lines = [json.loads(line) for line in read(rows_file).splitlines() if line.endswith("}")]  # the last may be cut short
        found = [line for line in lines if "experiment" in line]
        rows += found
    if status != 0:
        why = f"not done after {timeout_s:g} s" if status == isolate.TIMED_OUT else f"exit status {status}"
        began = ([line for line in lines if "begun" in line] or [{"begun": "startup", "engines": None}])[-1]
        found.append({"experiment": began["begun"], "system": system, "scheme": scheme, "transport": "plain",
                      "engines": began["engines"], "error": why})
        rows.append(found[-1])
    if any(row.get("error") for row in found):
        last_words = read(log_file).splitlines()[-15:]
        say("\n".join([f"{system} {scheme}".strip() + " failed; the end of its log:", *last_words]))
    shutil.rmtree(own, ignore_errors=True)


def read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def machine():
    lines = read(pathlib.Path("/proc/cpuinfo")).splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"cores": os.cpu_count(), "model": models[0] if models else "unknown",
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass  # the environment of another interpreter; the rows then say what failed
    return found


def write(options, meta, rows):
    """Everything so far, after each system, so that an interrupted run leaves what it had."""
    document = {"meta": meta, "rows": rows, **compare.as_json(compare.ratios(rows))}
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    options.markdown.write_text(sheet.markdown(meta, rows), encoding="utf-8")


def run_everything(options, plan, folder, meta, rows):
    """Fills rows and meta as it goes."""
    timeout_s = options.timeout or (600 if plan.quick else 7200)
    for system in (one for one in plans.SYSTEMS if one in options.only):
        if system == "covey":
            say("covey")
            more = covey_side.run(options.covey.resolve(), plan, folder, timeout_s, say, rows)
            meta.update({name: value for name, value in more.items() if name not in meta})
            write(options, meta, rows)
        elif has_work(system, plan.experiments):
            for scheme in SCHEMES.get(system, ("",)):
                say(f"{system} {scheme}".strip())
                run_peer(system, scheme, plan, folder, timeout_s, rows)
                write(options, meta, rows)
    meta["load"]["after"] = os.getloadavg()[0]
    write(options, meta, rows)


def interrupted(*_):
    raise KeyboardInterrupt


def main(arguments=None):
    options = parse(arguments)
    if "covey" in options.only and not options.covey.exists():
        print(f"peers: {options.covey} is not there: `scripts/build release covey` makes it, --covey names another",
              file=sys.stderr)
        return 1
    for path in (options.json, options.markdown):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("a").close()
        except OSError as error:
            print(f"peers: cannot write results to {path}: {error.strerror}", file=sys.stderr)
            return 2
    in_the_way = isolate.check()
    if in_the_way:
        print(f"peers: refusing to run without a network namespace: {in_the_way}", file=sys.stderr)
        return 1
    # A polite end takes the same way out as Ctrl-C, so that the namespaces and the folder go with it.
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, interrupted)
    meta = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "quick": options.quick,
            "machine": machine(), "versions": versions(), "load": {"before": os.getloadavg()[0]}}
    rows = []
    # Short, since Ray makes Unix sockets below it, whose paths may have 107 characters.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cvp", dir="/tmp"))
    try:
        run_everything(options, plan_of(options), folder, meta, rows)
    except KeyboardInterrupt:
        if rows:
            write(options, meta, rows)
        say(f"interrupted; what was measured is in {options.json}" if rows else "interrupted before anything was measured")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(sheet.text(meta, rows))
    print(f"Rows are in {options.json}, the table in {options.markdown}")
    return 1 if compare.failures(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
