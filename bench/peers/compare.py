"""Rows in, ratios out: how many times better Covey is than each peer's best. Pure; writes text, Markdown and JSON forms.

A ratio above 1 always means that Covey is better, also where less is better (times). A peer is given its best figure over
any n that it ran (4096 at most, Ray 32768); Covey is held to the same bound.
"""

import dataclasses

from plan import MOST_AT_ONCE, USUAL_MOST


@dataclasses.dataclass
class Ratio:
    experiment: str
    measure: str
    at: str                # the point at which both were measured, in words; "best" where each has its own n
    covey: str             # Covey's series
    covey_value: float
    peer: str
    peer_value: float
    ratio: float           # Covey ÷ peer for rates, peer ÷ Covey for times


def series(row):
    transport = row.get("transport") or "plain"
    return " ".join(filter(None, (row["system"], row.get("scheme"), transport if transport != "plain" else "", row.get("mode"))))


def grouped(rows, experiment):
    """({Covey's series: rows}, {peer's series: rows})"""
    mine, theirs = {}, {}
    for row in rows:
        if row.get("experiment") == experiment and row.get("system") != "bare-nats":
            (mine if row["system"] == "covey" else theirs).setdefault(series(row), []).append(row)
    return mine, theirs


def ratios(rows):
    found = []
    for maker in (latency, sequential, throughput, maps, exec_, startup):
        found += maker(rows)
    return found


def rate(row, field, time):
    value = row.get(field)
    return value if value is not None else row["n"] / row[time] if row.get(time) else None


def latency(rows):
    """Best over n, and Covey at the peer's own bound: the first flatters nobody, the second needs no choice of n."""
    mine, theirs = grouped(rows, "latency")
    engines = {row["engines"] for found in theirs.values() for row in found}
    for field, time, name in (("roundtrip_tasks_per_s", "roundtrip_s", "roundtrip tasks/s"), ("sent_tasks_per_s", "sent_s", "sent tasks/s")):
        for covey, own in mine.items():
            for peer, other in theirs.items():
                most = MOST_AT_ONCE.get(other[0]["system"], USUAL_MOST)
                reached = [(rate(row, field, time), row["n"]) for row in own if row["n"] <= most and row["engines"] in engines]
                best = max((rate(row, field, time) or 0, row["n"]) for row in other)
                reached = [one for one in reached if one[0]]
                if not reached or not best[0]:
                    continue
                top, last = max(reached), max(reached, key=lambda one: one[1])
                yield more("latency", name, f"best n: {top[1]} and {best[1]}", covey, top[0], peer, best[0])
                if last != top:
                    yield more("latency", name, f"n = {last[1]}, peer's best at {best[1]}", covey, last[0], peer, best[0])


def sequential(rows):
    mine, theirs = grouped(rows, "sequential")
    for field in ("p50_us", "p99_us"):
        for covey, own in mine.items():
            for peer, other in theirs.items():
                values = least(own, field), least(other, field)
                if all(values):
                    yield less("sequential", f"{field[:3]} µs", "one at a time", covey, values[0], peer, values[1])


def least(rows, field):
    return min((row[field] for row in rows if row.get(field)), default=None)


def throughput(rows):
    mine, theirs = grouped(rows, "throughput")
    for covey, own in mine.items():
        for peer, other in theirs.items():
            for size in sorted({row["bytes"] for row in own} & {row["bytes"] for row in other}):
                values = [max(row["gbit_per_s"] for row in part if row["bytes"] == size) for part in (own, other)]
                yield more("throughput", "Gbit/s one way", f"{size} B", covey, values[0], peer, values[1])


def maps(rows):
    mine, theirs = grouped(rows, "map")

    def best(part):
        points = {}
        for row in part:
            at = row["engines"], round(row["dt"] * 1e6)
            points[at] = max(points.get(at, 0), row["efficiency"])
        return points

    for covey, own in mine.items():
        for peer, other in theirs.items():
            own_points, other_points = best(own), best(other)
            for engines, micros in sorted(own_points.keys() & other_points.keys()):
                at = f"{engines} engines, {micros / 1e3:g} ms"
                yield more("map", "efficiency", at, covey, own_points[engines, micros], peer, other_points[engines, micros])


def exec_(rows):
    mine, theirs = grouped(rows, "exec")
    for covey, own in mine.items():
        for peer, other in theirs.items():
            values = [max(rate(row, "roundtrip_tasks_per_s", "roundtrip_s") for row in part) for part in (own, other)]
            yield more("exec", "runs of /bin/true per s", f"n = {own[0]['n']} and {other[0]['n']}", covey, values[0], peer, values[1])


def startup(rows):
    mine, theirs = grouped(rows, "startup")
    for covey, own in mine.items():
        for peer, other in theirs.items():
            for engines in sorted({row["engines"] for row in own} & {row["engines"] for row in other}):
                values = [least([row for row in part if row["engines"] == engines], "wall_s") for part in (own, other)]
                if all(values):
                    yield less("startup", "seconds", f"{engines} engines", covey, values[0], peer, values[1])


def more(experiment, measure, at, covey, covey_value, peer, peer_value):
    return Ratio(experiment, measure, at, covey, covey_value, peer, peer_value, covey_value / peer_value)


def less(experiment, measure, at, covey, covey_value, peer, peer_value):
    return Ratio(experiment, measure, at, covey, covey_value, peer, peer_value, peer_value / covey_value)


HEADS = ("experiment", "measure", "at", "Covey", "figure", "peer", "its best", "times better")
RIGHT = {4, 6, 7}


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def lines(found):
    return [(one.experiment, one.measure, one.at, one.covey, figure(one.covey_value), one.peer, figure(one.peer_value),
             figure(one.ratio)) for one in found]


def as_text(found):
    table = [HEADS, *lines(found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADS))]

    def aligned(line):
        cells = (cell.rjust(width) if column in RIGHT else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths)))
        return "  ".join(cells).rstrip()

    return "\n".join(aligned(line) for line in table) + f"\n{NOTE}\n"


def as_markdown(found):
    rule = "|".join("---:" if column in RIGHT else "---" for column in range(len(HEADS)))
    return "\n".join([f"| {' | '.join(HEADS)} |", f"|{rule}|", *(f"| {' | '.join(line)} |" for line in lines(found)), "", NOTE]) + "\n"


NOTE = ("Covey's echo and sleep are built into its engines, the peers' are Python functions: where that matters, compare like with "
        "like through Covey's Python engines. Ratios hold within this run only.")


def as_json(found):
    return [dataclasses.asdict(one) for one in found]
