"""Checked rows as tables: a heading, plain words, column names and cells. Knows nothing of HTML or plots."""

import dataclasses
import statistics

import results
import words


@dataclasses.dataclass
class Table:
    caption: str
    columns: list          # the first names the rows, the others hold right-aligned figures
    lines: list            # each as long as columns, all text


@dataclasses.dataclass
class Section:
    experiment: str
    title: str
    intro: str             # what is measured and how to read it, for a reader who has not seen the seed page
    tables: list


def pivot(rows, across, value, write, heading, caption, most=8, extra=None):
    """A line per series (and number of engines, where they differ), a column per value of `across`."""
    columns = results.spread_out(sorted({row[across] for row in rows if row.get(value) is not None}), most)
    if not columns:
        return None
    several = len({row.get("engines") for row in rows}) > 1
    lines = []
    for key, found in results.group(rows).items():
        for engines in sorted({row.get("engines") or 0 for row in found}):
            mine = [row for row in found if (row.get("engines") or 0) == engines]
            points = dict(results.medians(mine, across, value))
            if not points:
                continue
            label = [words.name(key)] + ([words.count(engines or None)] if several else [])
            lines.append(label + [write(points.get(column)) for column in columns] + ([extra(mine)] if extra else []))
    names = ["system"] + (["engines"] if several else []) + [heading(column) for column in columns]
    return Table(caption, names + (["of the limit"] if extra else []), lines)


def latency(rows, limits):
    single = results.request_reply_p50_us(limits)
    # Engine counts other than the usual one get a table of their own: in one table most cells would be empty.
    everything, usual = rows, results.usual_engines(rows)
    rows = [row for row in rows if row.get("engines") == usual]
    on = f", {usual} engines" if usual else ""
    tables = [
        pivot(rows, "n", "roundtrip_tasks_per_s", words.figure, lambda n: f"n = {words.count(n)}",
              f"Roundtrip, tasks per second{on}"),
        pivot(rows, "n", "sent_tasks_per_s", words.figure, lambda n: f"n = {words.count(n)}",
              f"Sent, tasks per second{on}: how fast the calling program can go on working"),
    ]
    if single:
        held = [{**row, "per": row["roundtrip_tasks_per_s"] * single * 1e-6} for row in rows]
        tables.append(pivot(held, "n", "per", words.figure, lambda n: f"n = {words.count(n)}",
                            f"Tasks completed in the time of one bare NATS request and reply ({words.micros(single)})"))
    tables.append(by_engines(everything))
    return Section("latency", "Latency", "n tasks that do nothing but return an empty string are submitted at once and "
                   "waited for. Sent counts the time until the last one was handed over, roundtrip the time until the "
                   "last result was back. More tasks per second are better; n = 1 is the time of a lone task.", tables)


def by_engines(rows):
    """Roundtrip rates of the series that were measured on more than one number of engines: a line per series and n."""
    lines, columns = [], results.spread_out(sorted({row["engines"] for row in rows if row.get("engines")}), 9)
    for key, found in results.group(rows).items():
        for n in results.spread_out(sorted({row["n"] for row in found}), 21):
            points = dict(results.medians([row for row in found if row["n"] == n], "engines", "roundtrip_tasks_per_s"))
            if len(points) > 1:
                lines.append([words.name(key), words.count(n), *(words.figure(points.get(at)) for at in columns)])
    return Table("Roundtrip, tasks per second, by number of engines",
                 ["system", "n", *(f"{words.count(at)} engines" for at in columns)], lines)


def sequential(rows, limits):
    lines = []
    for key, found in results.group(rows).items():
        single = results.request_reply_p50_us(limits, key[2] or "plain")
        def middle(field):
            values = [row[field] for row in found if row.get(field) is not None]
            return statistics.median(values) if values else None
        p50 = middle("p50_us")
        over = middle("over_bare") or (p50 / single if single else None)  # measured in turns, or else one after the other
        lines.append([words.name(key), *(words.micros(middle(field)) for field in ("p50_us", "p99_us", "p999_us")),
                      words.figure(1e6 / p50), words.times(over)])
    table = Table("One task after the other", ["system", "p50", "p99", "p99.9", "tasks per second", "÷ bare NATS"], lines)
    return Section("sequential", "Sequential latency", "One task is submitted, its result awaited, then the next. Half "
                   "of the tasks took no longer than p50, 99 of 100 no longer than p99; shorter is better. The last "
                   "column divides p50 by that of a bare NATS request and reply over the same transport, the least any "
                   "system over NATS could take.", [table])


def throughput(rows, limits, name="throughput"):
    limit = results.best_one_way_gbit(limits)

    def share(mine):
        own = results.best_one_way_gbit(limits, mine[0].get("transport") or "plain")
        return words.percent(max(row["gbit_per_s"] for row in mine) / own if own else None)

    each = [{**row, "each": row["sent_s"] / row["count"]} for row in rows if row.get("sent_s") and row.get("count")]
    tables = [pivot(rows, "bytes", "gbit_per_s", words.figure, words.size, "Gbit/s of payload, one way",
                    extra=share if limit else None),
              pivot(each, "bytes", "each", words.seconds, words.size, "Sent time of one array")]
    end = ("" if not limit else f" The last column compares a line's best with what bare NATS moves one way between two "
           f"processes over the same transport, at best {words.figure(limit)} Gbit/s; an echo crosses it twice.")
    if name == "push":
        return Section("push", "Push to one engine", "Arrays are sent to one named engine and not sent back." + end, tables)
    return Section("throughput", "Throughput", "Arrays of random numbers are sent to the engines and come back. Payload "
                   "counts once although it travels there and back; more Gbit/s are better. Sent time tells whether the "
                   "calling program is held up by large arrays: the flatter, the better." + end, tables)


def push(rows, limits):
    return throughput(rows, limits, "push")


def map_(rows, limits):
    def milliseconds(dt):
        return f"{dt * 1e3:g} ms"

    return Section("map", "Map", "Each of n tasks sleeps for dt. With no overhead at all the map would take n ÷ engines × "
                   "dt, the ideal; efficiency is the ideal divided by the measured time, so 100 % is the physical "
                   "limit. Overhead is the wall time beyond the ideal, divided by n.", [
                       pivot(rows, "dt", "efficiency", words.percent, milliseconds, "Efficiency, by dt"),
                       pivot(rows, "dt", "overhead_us_per_task", words.micros, milliseconds, "Overhead per task, by dt"),
                       pivot(rows, "dt", "roundtrip_s", words.seconds, milliseconds, "Wall time, by dt")])


def exec_(rows, limits):
    bare = [row["roundtrip_tasks_per_s"] for row in rows if row["system"] == "posix-spawn"]
    lines = []
    for key, found in results.group(rows).items():
        for n, rate in results.medians(found, "n", "roundtrip_tasks_per_s"):
            sent = dict(results.medians(found, "n", "sent_tasks_per_s")).get(n)
            lines.append([words.name(key), words.count(n), words.figure(sent), words.figure(rate),
                          words.percent(rate / max(bare)) if bare else "–"])
    return Section("exec", "Processes", "Each task runs the program /bin/true. The limit is a bare loop of posix_spawn "
                   "and waitpid in as many processes as there are cores, with no system around it.", [
                       Table("Programs run", ["system", "n", "sent per second", "roundtrip per second", "of the limit"],
                             lines)])


def startup(rows, limits):
    return Section("startup", "Start-up", "Time from the command until every engine has answered; shorter is better.", [
        pivot(rows, "engines", "roundtrip_s", words.seconds, lambda n: f"{words.count(n)} engines", "Start-up time")])


def limit(rows, limits):
    lines = []
    order = results.limit_transports(rows)
    for row in sorted(rows, key=lambda row: (row["what"], order.index(row.get("transport") or "plain"), row.get("bytes") or 0)):
        moved = row.get("bytes_per_s")
        lines.append([row["what"].replace("_", " "), words.transport_name(row.get("transport")), words.size(row.get("bytes")), words.micros(row.get("p50_us")),
                      words.micros(row.get("p99_us")), words.figure(row.get("messages_per_s")),
                      words.figure(moved * 8e-9 if moved else None)])
    return Section("limit", "The physical limit: bare NATS", "What the same machine does with the NATS server alone and no "
                   "Covey: the figures that the ratios on this page divide by.", [
                       Table("Bare NATS", ["what", "transport", "bytes", "p50", "p99", "messages per second", "Gbit/s"], lines)])


MAKERS = {"latency": latency, "sequential": sequential, "throughput": throughput, "push": push, "map": map_,
          "exec": exec_, "startup": startup, "limit": limit}


def sections(rows):
    """One section per experiment that has rows, without the tables that came out empty."""
    limits = results.select(rows, "limit")
    made = []
    for experiment, maker in MAKERS.items():
        found = results.select(rows, experiment)
        if found:
            section = maker(found, limits)
            section.tables = [table for table in section.tables if table and table.lines]
            made.append(section)
    return made


RAW = ("system", "scheme", "transport", "mode", "what", "engines", "n", "bytes", "count", "dt", "sent_s", "roundtrip_s",
       "sent_tasks_per_s", "roundtrip_tasks_per_s", "gbit_per_s", "p50_us", "p99_us", "p999_us", "ideal_s", "efficiency",
       "overhead_us_per_task", "messages_per_s", "bytes_per_s")


def raw(rows):
    """Every row as it was measured, for whoever wants to check; only the fields that occur."""
    fields = [field for field in RAW if any(row.get(field) is not None for row in rows)]
    return Table("Every row", fields, [[cell(row.get(field)) for field in fields] for row in rows])


def cell(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)
