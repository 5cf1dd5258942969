"""Rows in, ratios out: how many times better Covey is than each peer's best, and whether the floors are met. Pure.

A ratio above 1 always means that Covey is better: it is Covey ÷ peer for rates and peer ÷ Covey for times. In the latency
experiment a peer is given its best figure over any n that it ran (4096 at most, Ray 32768).
"""

import dataclasses
import statistics

from plan import A_MILLION, COVEY_AT, MOST_AT_ONCE, USUAL_MOST


@dataclasses.dataclass
class Point:
    """One figure of a row. Figures are compared where measure and `at` are equal; `at` is None for a peer's any n."""
    measure: str
    at: str | None
    value: float
    rate: bool = True      # more is better
    n: int | None = None


@dataclasses.dataclass
class Ratio:
    experiment: str
    measure: str
    at: str
    covey: str             # Covey's scheme and transport
    covey_value: float
    peer: str
    peer_value: float
    peer_n: int | None     # the n at which the peer did best
    ratio: float


@dataclasses.dataclass
class Floor:
    """What Covey promises to reach: a measure at one point, so many times a peer's best."""
    experiment: str
    measure: str
    at: str
    peer: str
    wanted: float


@dataclasses.dataclass
class Verdict:
    floor: Floor
    ratio: Ratio | None    # None where one of the two was not measured

    def words(self):
        return "not measured" if self.ratio is None else "met" if self.ratio.ratio >= self.floor.wanted else "missed"


ROUNDTRIP, SENT, RUNS = "roundtrip tasks/s", "sent tasks/s", "runs of /bin/true per s"


def at_n(n):
    return f"n = {n:,}"


def on(engines):
    return f"{engines} engines"


FLOORS = (*(Floor("latency", ROUNDTRIP, at_n(n), peer, wanted) for n in (32768, A_MILLION)
            for peer, wanted in (("ray", 300), ("ipyparallel leastload", 1000))),
          Floor("exec", RUNS, on(4), "hyperqueue", 3), Floor("exec", RUNS, on(4), "posix-spawn", 0.6))


def latency(row):
    n, own = row["n"], row["system"] == "covey"
    if n not in COVEY_AT if own else n > MOST_AT_ONCE.get(row["system"], USUAL_MOST):
        return
    for measure, field in ((ROUNDTRIP, "roundtrip_s"), (SENT, "sent_s")):
        yield Point(measure, at_n(n) if own else None, n / row[field], n=n)


def sequential(row):
    at = (row.get("mode") or "blocking") if row["system"] == "covey" else None
    for field in ("p50_us", "p99_us"):
        yield Point(f"{field[:3]}, µs, one at a time", at, row[field], rate=False)


def throughput(row):
    size = row["bytes"]
    at = f"{size / 1e6:g} MB" if size >= 1e6 else f"{size / 1e3:g} kB"
    yield Point("Gbit/s one way", at, row["gbit_per_s"])
    if row.get("count"):
        yield Point("sent arrays/s", at, row["count"] / row["sent_s"])


def map_(row):
    yield Point("efficiency", f"{on(row['engines'])}, {row['dt'] * 1e3:g} ms", row["efficiency"])


def exec_(row):
    yield Point(RUNS, on(row["engines"]), row["n"] / row["roundtrip_s"], n=row["n"])


POINTS = {"latency": latency, "sequential": sequential, "throughput": throughput, "map": map_, "exec": exec_}


def peer_name(row):
    return f"{row['system']} {row.get('scheme') or ''}".strip()


def covey_name(row):
    transport = row.get("transport") or "plain"
    return " ".join(filter(None, (row.get("scheme"), transport if transport != "plain" else "")))


def collect(rows, experiment, own):
    """{name: {(measure, at): [points]}} of Covey's rows or of the peers'."""
    found = {}
    for row in rows:
        if row["experiment"] != experiment or row.get("error") or (row["system"] == "covey") != own:
            continue
        series = found.setdefault(covey_name(row) if own else peer_name(row), {})
        for point in POINTS[experiment](row):
            series.setdefault((point.measure, point.at), []).append(point)
    return found


def best(points):
    return max(points, key=lambda point: point.value) if points[0].rate else min(points, key=lambda point: point.value)


def ratios(rows):
    """All ratios, by experiment, measure, Covey's scheme, point and peer."""
    found = []
    for experiment in POINTS:
        mine, theirs = collect(rows, experiment, own=True), collect(rows, experiment, own=False)
        for covey, series in mine.items():
            for (measure, at), points in series.items():
                # The peer's best and Covey's median: a measurement that was repeated does not flatter Covey.
                value = statistics.median(point.value for point in points)
                for peer, others in theirs.items():
                    other = others.get((measure, at)) or others.get((measure, None))
                    if other and value > 0:
                        found.append(ratio(experiment, measure, at, covey, value, peer, best(other)))
    order = {name: number for number, name in enumerate(dict.fromkeys((one.experiment, one.measure) for one in found))}
    return sorted(found, key=lambda one: order[one.experiment, one.measure])


def ratio(experiment, measure, at, covey, value, peer, other):
    times = value / other.value if other.rate else other.value / value
    return Ratio(experiment, measure, at, covey, value, peer, other.value, other.n, times)


def verdicts(found):
    """Each floor against each of Covey's schemes that was measured there."""
    made = []
    for floor in FLOORS:
        point = floor.experiment, floor.measure, floor.at, floor.peer
        hits = [one for one in found if (one.experiment, one.measure, one.at, one.peer) == point]
        made += [Verdict(floor, one) for one in hits] or [Verdict(floor, None)]
    return made


def failures(rows):
    """{(peer or 'covey', experiment, engines, bytes): why} for every row that says that something failed."""
    broken = [row for row in rows if row.get("error")]
    return {(peer_name(row), row["experiment"], row.get("engines"), row.get("bytes")): row["error"] for row in broken}


def as_json(found):
    """The part of the results file that says what follows from its rows."""
    return {"ratios": [dataclasses.asdict(one) for one in found],
            "floors": [{**dataclasses.asdict(one.floor), "verdict": one.words(), "covey": one.ratio.covey if one.ratio else None,
                        "seen": one.ratio.ratio if one.ratio else None} for one in verdicts(found)]}
