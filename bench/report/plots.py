"""The plots of the seed page, drawn from checked rows. Each function draws one plot in one theme and returns its file
name, or None when the rows for it are missing.
"""

import results
import style
import words

# Of the lines that show a limit: plain, TLS, SSH.
LIMIT_DASHES = ((0, (6, 3)), (0, (3, 2)), (0, (6, 2, 1, 2)))
SOLID_SENT = (("roundtrip", "-"), ("sent", "--"))


def of_experiment(rows, *names):
    return [row for row in rows if row["experiment"] in names]


def engines_words(number):
    return f"{number} engine{'s' if number != 1 else ''}" if number else "engines not stated"


def latency(rows, folder, theme):
    rows = of_experiment(rows, "latency")
    engines = results.usual_engines(rows)
    rows = [row for row in rows if row.get("engines") == engines]
    if not rows:
        return None
    lines = results.group(rows)
    looks = style.lookups(lines, theme)
    figure, axes = style.new(theme, "Latency: echo of an empty string",
                             f"{engines_words(engines)}; n tasks submitted at once, then waited for; higher is better")
    for key, found in lines.items():
        colour, marker = looks[key]
        axes.plot(*zip(*results.medians(found, "n", "roundtrip_tasks_per_s")), color=colour, marker=marker)
        if sent := results.medians(found, "n", "sent_tasks_per_s"):
            axes.plot(*zip(*sent), color=colour, marker=marker, linestyle="--", linewidth=1.3, markersize=3.5)
    style.powers_of_two(axes.xaxis, [row["n"] for row in rows], style.plain)
    style.decades(axes.yaxis, words.rate)
    axes.set(xlabel="n, tasks at once", ylabel="tasks per second")
    style.legend(figure, axes, [(words.name(key), looks[key]) for key in lines], SOLID_SENT)
    return style.save(figure, folder, "latency", theme)


def latency2(rows, folder, theme):
    """One system and transport, since n takes the colours: Covey's, or the one measured on most engine counts."""
    lines = results.group(of_experiment(rows, "latency"))
    spread = {key: {row["engines"] for row in found if row.get("engines")} for key, found in lines.items()}
    wide = [key for key in lines if len(spread[key]) > 1]
    if not wide:
        return None  # every series was measured on one number of engines
    mine = [key for key in wide if key[0] == wide[0][0] and key[2] == wide[0][2]][:2]
    chosen = [row for key in mine for row in lines[key]]
    seen = {row["n"]: {other["engines"] for other in chosen if other["n"] == row["n"]} for row in chosen}
    # Most n are measured on the usual number of engines only, and would be lone points here.
    sizes = results.spread_out(sorted(n for n, engines in seen.items() if len(engines) > 1), 7)
    colours = style.THEMES[theme]["colours"]
    figure, axes = style.new(theme, f"Latency: {words.SYSTEMS.get(mine[0][0], mine[0][0])} on more engines",
                             "roundtrip tasks per second of n tasks; higher is better")
    entries, engines = [], set()
    for index, size in enumerate(sizes):
        look = (colours[index % len(colours)], "o")
        for key, dash in zip(mine, ("-", "--")):
            points = results.medians([row for row in lines[key] if row["n"] == size], "engines", "roundtrip_tasks_per_s")
            if points:
                axes.plot(*zip(*points), color=look[0], marker="o", linestyle=dash)
                engines.update(at for at, _ in points)
        entries.append((f"n = {words.count(size)}", look))
    style.powers_of_two(axes.xaxis, engines, style.plain)
    style.decades(axes.yaxis, words.rate)
    axes.set(xlabel="engines", ylabel="roundtrip tasks per second")
    styles = [(key[1] or words.name(key), dash) for key, dash in zip(mine, ("-", "--"))]
    style.legend(figure, axes, entries, styles)
    return style.save(figure, folder, "latency2", theme)


def throughput1(rows, folder, theme):
    rows = of_experiment(rows, "throughput", "push")
    lines = labelled_throughput(rows)
    if not lines:
        return None
    looks = style.lookups(lines, theme)
    figure, axes = style.new(theme, "Throughput: time to echo arrays",
                             "time per array, all arrays of a run submitted at once; lower is better")
    for key, found in lines.items():
        colour, marker = looks[key]
        for field, dash, width in (("roundtrip_s", "-", 1.8), ("sent_s", ":", 1.6)):
            # Runs of large arrays are made of fewer of them, so only the time per array can be compared.
            each = [{"bytes": row["bytes"], "t": row[field] / row["count"]} for row in found
                    if row.get(field) and row.get("count")]
            if each:
                axes.plot(*zip(*results.medians(each, "bytes", "t")), color=colour, marker=marker, linestyle=dash,
                          linewidth=width, markersize=5.5 if dash == "-" else 3.5)
    style.decades(axes.xaxis, words.size)
    style.decades(axes.yaxis, words.seconds)
    axes.set(xlabel="size of one array", ylabel="time per array")
    style.legend(figure, axes, [(label_of(key), looks[key]) for key in lines], (("roundtrip", "-"), ("sent", ":")))
    return style.save(figure, folder, "throughput1", theme)


def throughput2(rows, folder, theme):
    lines = labelled_throughput(of_experiment(rows, "throughput", "push"))
    if not lines:
        return None
    looks = style.lookups(lines, theme)
    figure, axes = style.new(theme, "Throughput: payload carried",
                             "Gbit/s one way: an echoed array counts once; higher is better")
    for key, found in lines.items():
        colour, marker = looks[key]
        axes.plot(*zip(*results.medians(found, "bytes", "gbit_per_s")), color=colour, marker=marker)
    styles = []
    for transport, dash in zip(results.limit_transports(rows), LIMIT_DASHES):
        limit = results.best_one_way_gbit(rows, transport)
        if limit:
            axes.axhline(limit, color=style.THEMES[theme]["ink"], linestyle=dash, linewidth=1.4)
            over = "" if transport == "plain" else f", {words.transport_name(transport)}"
            styles.append((f"bare NATS{over}, one way:\n{words.figure(limit)} Gbit/s", dash))
    style.decades(axes.xaxis, words.size)
    style.decades(axes.yaxis, lambda value: f"{value:g}")
    axes.set(xlabel="size of one array", ylabel="Gbit/s, one way")
    style.legend(figure, axes, [(label_of(key), looks[key]) for key in lines], styles)
    return style.save(figure, folder, "throughput2", theme)


def labelled_throughput(rows):
    """push to one engine is a line of its own: the same series, marked by its mode."""
    marked = [{**row, "mode": "push to one engine"} if row["experiment"] == "push" else row for row in rows]
    return results.group(marked)


def label_of(key):
    return words.name(key).replace(", push", ",\npush")


def map_series(rows):
    """The first system's series, at most two: the plots with a line per number of engines hold no more."""
    lines = results.group(of_experiment(rows, "map"))
    first = next(iter(lines), ("",))[0]
    return {key: found for key, found in list(lines.items()) if key[0] == first and key[2] in ("", "plain")} or lines


def draw_map(lines, theme, axes, field):
    """Draws `field` over dt, a colour per number of engines and a dash per scheme; returns what the legend needs."""
    lines = dict(list(lines.items())[:2])
    rows = [row for found in lines.values() for row in found]
    engines = sorted({row["engines"] for row in rows})
    colours = dict(zip(engines, style.THEMES[theme]["colours"] * len(engines)))
    for (key, found), dash in zip(lines.items(), ("-", "--")):
        for number in engines:
            points = results.medians([row for row in found if row["engines"] == number], "dt", field)
            if points:
                axes.plot([at * 1e3 for at, _ in points], [value for _, value in points], color=colours[number],
                          linestyle=dash, marker="o", linewidth=2)
    dt_axis(axes, rows)
    return [(engines_words(number), (colours[number], "o")) for number in engines], list(
        zip((words.name(key) for key in lines), ("-", "--")))


def dt_axis(axes, rows, most=9):
    style.powers_of_two(axes.xaxis, [row["dt"] * 1e3 for row in rows], lambda value: f"{value:g}", most)
    axes.set(xlabel="dt, milliseconds that each task sleeps")


def map_efficiency(rows, folder, theme):
    lines = map_series(rows)
    if not lines:
        return None
    figure, axes = style.new(theme, "Map of sleep(dt): efficiency",
                             "ideal time ÷ measured time; 1 means that the system itself costs nothing")
    entries, styles = draw_map(lines, theme, axes, "efficiency")
    efficiency_axis(axes, theme, rows)
    style.legend(figure, axes, entries, styles)
    return style.save(figure, folder, "map", theme)


def efficiency_axis(axes, theme, rows):
    # A clock that ticks between the two ends of a sleep can give a little over 1; it must not be cut off.
    top = max(1.0, max(row["efficiency"] for row in of_experiment(rows, "map")))
    axes.set(ylim=(0, top * 1.03), ylabel="efficiency")
    axes.axhline(1, color=style.THEMES[theme]["muted"], linewidth=1, linestyle=":")


def map_time(rows, folder, theme):
    lines = map_series(rows)
    if not lines:
        return None
    figure, axes = style.new(theme, "Map of sleep(dt): wall time",
                             "time for the whole map; the nearer to the dotted ideal, the better")
    entries, styles = draw_map(lines, theme, axes, "roundtrip_s")
    ideal = results.medians([row for found in lines.values() for row in found], "dt", "ideal_s")
    axes.plot([at * 1e3 for at, _ in ideal], [value for _, value in ideal], color=style.THEMES[theme]["ink"],
              linestyle=":", linewidth=1.6)
    style.decades(axes.yaxis, words.seconds)
    axes.set(ylabel="wall time")
    style.legend(figure, axes, entries, [*styles, ("ideal", ":")])
    return style.save(figure, folder, "map-time", theme)


def map_systems(rows, folder, theme):
    """All systems side by side, a panel per number of engines: one set of axes cannot hold systems × engines."""
    lines = results.group(of_experiment(rows, "map"))
    if len({key[0] for key in lines}) < 2:
        return None
    engines = results.spread_out(sorted({row["engines"] for found in lines.values() for row in found}), 3)
    looks = style.lookups(lines, theme)
    figure, panels = style.new(theme, "Map of sleep(dt): efficiency beside other systems",
                               "ideal time ÷ measured time, on the same machine", panels=len(engines))
    for number, axes in zip(engines, panels):
        for key, found in lines.items():
            colour, marker = looks[key]
            points = results.medians([row for row in found if row["engines"] == number], "dt", "efficiency")
            if points:
                axes.plot([at * 1e3 for at, _ in points], [value for _, value in points], color=colour, marker=marker)
        dt_axis(axes, [row for found in lines.values() for row in found], most=4)
        axes.set_xlabel(f"dt in ms, {engines_words(number)}")
        efficiency_axis(axes, theme, rows)
    for axes in panels[1:]:
        axes.set_ylabel("")
        axes.tick_params(labelleft=False)
    style.legend(figure, panels[-1], [(words.name(key), looks[key]) for key in lines])
    return style.save(figure, folder, "map-systems", theme)


ALL = {"latency": (latency, latency2), "throughput": (throughput1, throughput2), "map": (map_efficiency, map_time, map_systems)}


def draw(rows, folder):
    """Draws everything there are rows for: {experiment: [(light name, dark name), …]}."""
    drawn = {}
    for experiment, functions in ALL.items():
        pairs = [tuple(function(rows, folder, theme) for theme in ("light", "dark")) for function in functions]
        drawn[experiment] = [pair for pair in pairs if pair[0]]
    return drawn
