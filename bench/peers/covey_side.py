"""Covey beside the peers: `covey bench` on the same sizes, in the same kind of namespace, rows in the same format."""

import json
import os

import isolate

# covey bench has no experiment of its own for these: sequential comes with latency, push does not exist yet.
COMMANDS = {"latency": "latency", "sequential": "latency", "throughput": "throughput", "map": "map", "exec": "exec"}


def calls(plan):
    """(command, its options) for each call of covey bench. Never --quick, which would override what the plan says."""
    made = []
    for command in dict.fromkeys(COMMANDS[one] for one in plan.experiments if one in COMMANDS):
        if command == "latency":
            # The longest list of n, so that every peer's range is covered.
            made.append((command, ["--engines", str(plan.engines), "--n", joined(plan.counts("ray"))]))
        elif command == "throughput":
            # A call per size: a size that Covey refuses must not cost the others' rows.
            made += [(command, ["--engines", str(plan.engines), "--bytes", str(size)]) for size in plan.sizes]
        elif command == "map":
            made.append((command, ["--engines", joined(plan.map_engines), "--dt", joined(f"{dt * 1e3:g}" for dt in plan.dts),
                                   "--ideal", f"{plan.map_seconds:g}"]))
        else:
            made.append((command, []))
    return made


def joined(values):
    return ",".join(str(value) for value in values)


def run(executable, plan, folder, timeout_s, say):
    """Returns (rows, meta, failures). A call that fails costs its own rows only."""
    rows, meta, failures = [], {}, []
    for number, (command, options) in enumerate(calls(plan)):
        # Bare NATS is measured once, with the first call: it is the limit of them all.
        options = options + (["--no-limits"] if number else [])
        say(" ".join(["covey bench", *options, command]))
        document, failure = call(executable, command, options, folder, timeout_s)
        failures += [failure] if failure else []
        if isinstance(document, dict):
            meta.update(document.get("meta") or {})
            rows += (document.get("limits") or []) + document["rows"]
        elif document:
            rows += document
    return rows, meta, failures


def call(executable, command, options, folder, timeout_s):
    """Runs one covey bench; returns (what it wrote or None, what went wrong or None)."""
    out, errors = folder / "covey.json", folder / "covey.log"
    out.unlink(missing_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder)}
    with open(errors, "w", encoding="utf-8") as log:
        status = isolate.run([str(executable), "bench", *options, "--json", str(out), command], timeout_s, environment, log)
    last = (errors.read_text(encoding="utf-8", errors="replace").splitlines() or [""])[-1]
    failure = None if status == 0 else f"covey bench {' '.join([*options, command])}: exit status {status}: {last}"
    try:
        return json.loads(out.read_text(encoding="utf-8")), failure
    except (OSError, ValueError) as error:
        return None, failure or f"covey bench {command}: no results: {error}"
