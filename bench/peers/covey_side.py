"""Covey beside the peers: `covey bench` on the same sizes, in the same kind of namespace, rows in the same format."""

import dataclasses
import json
import os

import isolate


@dataclasses.dataclass
class Call:
    """One run of covey bench. Each has few rows, since one that fails costs them all."""
    experiment: str        # also the subcommand
    engines: int
    options: list
    fields: dict = dataclasses.field(default_factory=dict)  # of the row that says that it failed


def calls(plan):
    """Never --quick, which would override what the plan says. exec comes first: its peers have just run."""
    asked, engines = set(plan.experiments), str(plan.engines)
    made = []
    if "exec" in asked:
        made += [Call("exec", plan.engines, [])] * plan.repeat  # covey bench runs it once
    if asked & {"latency", "sequential"}:
        made.append(Call("latency", plan.engines, ["--engines", engines, "--n", joined(plan.counts("covey"))]))
    if "throughput" in asked:
        made += [Call("throughput", plan.engines, ["--engines", engines, "--bytes", str(size)], {"bytes": size})
                 for size in plan.sizes]
    if "map" in asked:
        dts = joined(f"{dt * 1e3:g}" for dt in plan.dts)
        made += [Call("map", count, ["--engines", str(count), "--dt", dts, "--ideal", f"{plan.map_seconds:g}"])
                 for count in plan.map_engines]
    return made


def joined(values):
    return ",".join(str(value) for value in values)


def run(executable, plan, folder, timeout_s, say, rows):
    """Adds Covey's rows call by call and returns its meta. A call that fails gives a row that says so."""
    meta = {}
    for number, one in enumerate(calls(plan)):
        # Bare NATS is measured once, with the first call: it is the limit of them all.
        words = [one.experiment, *one.options, *(["--no-limits"] if number else [])]
        say(" ".join(["covey bench", *words]))
        document, failure = call(executable, words, folder, timeout_s)
        meta.update(document.get("meta") or {})
        rows += (document.get("limits") or []) + (document.get("rows") or [])
        if failure:
            say(f"covey bench {failure}")
            rows.append({"experiment": one.experiment, "system": "covey", "scheme": "", "transport": "plain",
                         "engines": one.engines, **one.fields, "error": failure})
    return meta


def call(executable, words, folder, timeout_s):
    """Runs one covey bench; returns (what it wrote, what went wrong or None)."""
    out, errors = folder / "covey.json", folder / "covey.log"
    out.unlink(missing_ok=True)
    # COVEY_CONNECT and the like would send it to some other cluster, which it cannot reach from here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVEY_")}
    environment.update(TMPDIR=str(folder), HOME=str(folder))
    with open(errors, "w", encoding="utf-8") as log:
        status = isolate.run([str(executable), "bench", *words, "--json", str(out)], timeout_s, environment, log)
    last = (errors.read_text(encoding="utf-8", errors="replace").splitlines() or ["said nothing"])[-1]
    if status != 0:
        return {}, f"not done after {timeout_s:g} s" if status == isolate.TIMED_OUT else f"exit status {status}: {last}"
    try:
        return json.loads(out.read_text(encoding="utf-8")), None
    except (OSError, ValueError) as error:
        return {}, f"no results: {error}"
