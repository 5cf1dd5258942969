"""Reads and checks a results file: rows in, rows with every derived figure out. Knows nothing of plots or HTML.

A file is either a bare list of rows or {"meta": {…}, "limits": [row, …], "rows": [row, …]}. Times are seconds unless the
name ends in another unit; `dt` is what sleep() was given, in seconds; `bytes` is the payload of one task, one way. A row
with `error` has no figures: it says what failed, and is told in meta["failed"] instead of among the rows.
"""

import json
import math
import statistics

EXPERIMENTS = ("latency", "sequential", "throughput", "push", "map", "startup", "exec", "limit")

# What a row needs so that it can be placed in its plot or table. A tuple means any one of these will do.
REQUIRED = {
    "latency": ("n", ("roundtrip_tasks_per_s", "roundtrip_s")),
    "sequential": ("p50_us",),
    "throughput": ("bytes", ("gbit_per_s", "roundtrip_s")),
    "push": ("bytes", ("gbit_per_s", "roundtrip_s")),
    "map": ("engines", "dt", ("wall_s", "roundtrip_s"), ("ideal_s", "n", "efficiency")),
    "startup": ("engines", ("wall_s", "roundtrip_s")),
    "exec": ("n", ("roundtrip_tasks_per_s", "roundtrip_s")),
    "limit": ("what",),
}
# Zero in any of these would be divided by or drawn on a logarithmic axis, so it can only be a mistake.
POSITIVE = {"n", "bytes", "count", "engines", "dt", "roundtrip_s", "wall_s", "ideal_s", "p50_us",
            "roundtrip_tasks_per_s", "messages_per_s", "bytes_per_s", "gbit_per_s"}
NUMBERS = POSITIVE | {"sent_s", "sent_tasks_per_s", "p99_us", "p999_us", "efficiency", "overhead_us_per_task"}
TEXTS = ("system", "scheme", "transport", "mode", "what", "error")
LIMIT_KINDS = {"request_reply": ("p50_us",), "one_way": ("bytes_per_s",)}


class BadInput(Exception):
    """The input cannot be used; the text names the file, the row and the field."""


def load(path):
    """Returns (meta, rows); the limits are among the rows. Raises BadInput."""
    document = read_json(path)
    if isinstance(document, list):
        document = {"rows": document}
    if not isinstance(document, dict):
        raise BadInput(f"{path}: expected an object with 'rows', or a list of rows")
    meta = document.get("meta") or {}
    if not isinstance(meta, dict):
        raise BadInput(f"{path}: field 'meta': expected an object, found {kind_of(meta)}")
    rows, failed = [], []
    for part in ("rows", "limits"):
        found = document.get(part) if part in document else ([] if part == "limits" else None)
        if not isinstance(found, list):
            raise BadInput(f"{path}: field '{part}': expected a list, found {kind_of(found)}")
        for number, row in enumerate(found, start=1):
            where = f"{path}: {'row' if part == 'rows' else 'limits row'} {number}"
            if part == "limits" and isinstance(row, dict):
                row = {"experiment": "limit", **row}
            check(row, where)
            if row.get("error"):
                failed.append(row)
            else:
                rows.append(derive(dict(row), where))
    return {**meta, "failed": failed}, rows


def read_json(path):
    def refuse(constant):
        raise BadInput(f"{path}: {constant} is not a figure")

    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file, parse_constant=refuse)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error


def check(row, where):
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected an object, found {kind_of(row)}")
    experiment = row.get("experiment")
    if experiment not in EXPERIMENTS:
        raise BadInput(f"{where}: field 'experiment': {experiment!r} is none of {', '.join(EXPERIMENTS)}")
    if experiment != "limit" and not row.get("system"):
        raise BadInput(f"{where}: field 'system' is missing")
    for field in TEXTS:
        if row.get(field) is not None and not isinstance(row[field], str):
            raise BadInput(f"{where}: field '{field}': expected text, found {kind_of(row[field])}")
    for field in sorted(NUMBERS & row.keys()):
        check_number(row, field, where)
    if row.get("error"):
        return
    wanted = REQUIRED[experiment]
    if experiment == "limit":
        wanted += LIMIT_KINDS.get(row.get("what"), ())
    for need in wanted:
        names = need if isinstance(need, tuple) else (need,)
        if all(row.get(name) is None for name in names):
            raise BadInput(f"{where}: field '{' or '.join(names)}' is missing ({experiment} needs it)")


def check_number(row, field, where):
    value = row[field]
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadInput(f"{where}: field '{field}': expected a number, found {kind_of(value)}")
    if not math.isfinite(value) or value < 0 or (value == 0 and field in POSITIVE):
        raise BadInput(f"{where}: field '{field}': {value} is not {'above zero' if field in POSITIVE else 'possible'}")


def kind_of(value):
    return {type(None): "nothing", dict: "an object", list: "a list", str: "text", bool: "true or false"}.get(
        type(value), "a number")


def derive(row, where):
    """Fills in what follows from the measured figures and is not there yet, so that later code need not ask."""
    def fill(field, value):
        if row.get(field) is None and value is not None:
            row[field] = value

    def ratio(above, below):
        return above / below if above is not None and below else None

    get = row.get
    fill("roundtrip_s", get("wall_s"))
    experiment = row["experiment"]
    if experiment in ("latency", "exec"):
        fill("roundtrip_tasks_per_s", ratio(get("n"), get("roundtrip_s")))
        fill("sent_tasks_per_s", ratio(get("n"), get("sent_s")))
        fill("roundtrip_s", ratio(get("n"), get("roundtrip_tasks_per_s")))
    elif experiment in ("throughput", "push"):
        count = get("count") or get("n")
        fill("count", count)
        if count:
            fill("gbit_per_s", ratio(row["bytes"] * count * 8e-9, get("roundtrip_s")))
        if get("gbit_per_s") is None:
            raise BadInput(f"{where}: field 'count' is missing (without 'gbit_per_s' the rate cannot be known)")
    elif experiment == "map":
        if get("n"):
            fill("ideal_s", math.ceil(get("n") / row["engines"]) * row["dt"])
        fill("efficiency", ratio(get("ideal_s"), row["roundtrip_s"]))
        fill("ideal_s", row["efficiency"] * row["roundtrip_s"])
        if get("n"):
            # As covey bench and bench/peers have it: wall time beyond the ideal, shared out over the tasks.
            fill("overhead_us_per_task", (row["roundtrip_s"] - row["ideal_s"]) / row["n"] * 1e6)
    return row


def select(rows, experiment):
    return [row for row in rows if row["experiment"] == experiment]


def series_key(row):
    """What tells one line of a plot from another."""
    return (row.get("system") or "", row.get("scheme") or "", row.get("transport") or "", row.get("mode") or "")


def series_order(key):
    """Covey first, the other systems by name, limits last; within a system the plain transport before TLS and SSH."""
    system, scheme, transport, mode = key
    farther = {"": 0, "plain": 0, "tls": 1, "ssh": 2}.get(transport, 3)
    return (system != "covey", system in ("bare-nats", "posix-spawn"), system, scheme, farther, transport, mode)


def group(rows):
    """Rows by series, in the order in which the series are shown."""
    found = {}
    for row in rows:
        found.setdefault(series_key(row), []).append(row)
    return dict(sorted(found.items(), key=lambda item: series_order(item[0])))


def medians(rows, x, y):
    """Sorted (x, median y): a measurement that was repeated counts once."""
    found = {}
    for row in rows:
        if row.get(x) is not None and row.get(y) is not None:
            found.setdefault(row[x], []).append(row[y])
    return [(at, statistics.median(values)) for at, values in sorted(found.items())]


def spread_out(values, most):
    """At most `most` of the values, first and last among them, evenly apart."""
    if len(values) <= most:
        return values
    return [values[round(index * (len(values) - 1) / (most - 1))] for index in range(most)]


def usual_engines(rows):
    """The number of engines most of the rows were measured with: the one the n-on-x plots show."""
    counts = {}
    for row in rows:
        counts[row.get("engines")] = counts.get(row.get("engines"), 0) + 1
    return max(counts, key=lambda engines: (counts[engines], -(engines or 0)), default=None)


def limits_of(rows, what, transport):
    """The limits measured over one transport, or over any where it is None. Rows that name none are of the plain one."""
    return [row for row in select(rows, "limit") if row["what"] == what
            and transport in (None, row.get("transport") or "plain")]


def best_one_way_gbit(rows, transport=None):
    return max((row["bytes_per_s"] * 8e-9 for row in limits_of(rows, "one_way", transport)), default=None)


def request_reply_p50_us(rows, transport=None):
    return min((row["p50_us"] for row in limits_of(rows, "request_reply", transport)), default=None)


def limit_transports(rows):
    """The transports over which bare NATS was measured, in the order in which they are shown."""
    found = {row.get("transport") or "plain" for row in select(rows, "limit")}
    return sorted(found, key=lambda transport: series_order(("", "", transport, "")))
