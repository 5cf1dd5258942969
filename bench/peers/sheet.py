"""The ratios as people read them: plain text for the terminal, Markdown for a file. Pure."""

import compare

DASH = "–"
BUSY = 0.25  # load average per core before the run, from which on the ratios are not to be trusted
NOTES = (
    "A cell is how many times better Covey is, and in brackets the peer's figure: its best, in the latency experiment at any n "
    "up to 4096 (Ray 32768). Above 1 Covey is better, for times too.",
    "Covey's echo, sleep and exec are built into its engines, the peers' functions are Python's: part of each ratio is the "
    "language. Ratios hold within this run only.",
    "HyperQueue is given the better of two clocks: until its client's wait returns, which looks once a second, and until "
    "its server's count of finished tasks is complete, asked for every 10 ms.",
)


def figure(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cell(one):
    return f"{figure(one.ratio)} × ({figure(one.peer_value)}{f' at {one.peer_n}' if one.experiment == 'latency' else ''})"


def touches(what, experiment):
    """A system that did not start has no figures in anything that wants a cluster; exec's peers report no start."""
    return what == experiment or (what == "startup" and experiment != "exec")


def failed(broken, peer, experiment):
    return any(name == peer and touches(what, experiment) for name, what, *_ in broken)


def table(found, broken):
    """Lines of cells, headings first: a line per figure of Covey, a column per peer."""
    experiments = {one.experiment for one in found}
    absent = [name for name, what, *_ in broken if name != "covey" and any(touches(what, one) for one in experiments)]
    peers = list(dict.fromkeys([*(one.peer for one in found), *absent]))
    lines = {}
    for one in found:
        lines.setdefault((one.experiment, one.measure, one.at, one.covey, one.covey_value), {})[one.peer] = cell(one)
    made = [("experiment", "measure", "at", "Covey", "figure", *peers)]
    for (experiment, measure, at, covey, value), cells in lines.items():
        others = (cells.get(peer, "failed" if failed(broken, peer, experiment) else DASH) for peer in peers)
        made.append((experiment, measure, at, covey, figure(value), *others))
    return made


def floors(found):
    made = [("floor", "wanted", "seen", "verdict")]
    for one in compare.verdicts(found):
        floor = one.floor
        covey = f" ({one.ratio.covey})" if one.ratio else ""
        made.append((f"{floor.measure}, {floor.at}{covey} ÷ {floor.peer}", f"≥ {figure(floor.wanted)}",
                     figure(one.ratio.ratio) if one.ratio else DASH, one.words()))
    return made


def broken_lines(broken):
    return [f"{name}, {experiment}{f' on {engines} engines' if engines else ''}{f', {size} B' if size else ''}: {why}"
            for (name, experiment, engines, size), why in broken.items()]


def aligned(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines]


def facts(meta):
    machine, load = meta.get("machine", {}), meta.get("load", {})
    versions = ", ".join(f"{name} {version}" for name, version in meta.get("versions", {}).items())
    size = "quick: fewer points, each measured once" if meta.get("quick") else "the whole"
    before, cores = load.get("before", 0), machine.get("cores", 1)
    lines = [f"{meta.get('date', '')}, {size}; {cores} × {machine.get('model')}; load average {before:.1f} before the run.",
             f"Covey {meta.get('covey', DASH)}; {versions}."]
    if before > cores * BUSY:
        lines.append("The machine was busy: do not quote these ratios. A busy machine gives more time to what has more processes, "
                     "and the systems did not run at the same time.")
    return lines


def text(meta, rows):
    found, broken = compare.ratios(rows), compare.failures(rows)
    parts = facts(meta)
    # A block per experiment, so that it has no columns for peers that do not take part.
    for experiment in dict.fromkeys(one.experiment for one in found):
        parts += ["", *aligned(table([one for one in found if one.experiment == experiment], broken))]
    parts += ["", *aligned(floors(found)), "", *NOTES]
    if broken:
        parts += ["", "Failed:", *broken_lines(broken)]
    return "\n".join(parts) + "\n"


def grid(lines):
    escaped = [[text.replace("|", "\\|") for text in line] for line in lines]
    return [f"| {' | '.join(line)} |" for line in (escaped[0], ["---"] * len(escaped[0]), *escaped[1:])]


def markdown(meta, rows):
    found, broken = compare.ratios(rows), compare.failures(rows)
    parts = ["# Covey and other systems", "", *facts(meta), "", "## Floors", "", *grid(floors(found)), "", "## Ratios", "",
             *grid(table(found, broken)), "", *(f"- {note}" for note in NOTES)]
    if broken:
        parts += ["", "## Failed", "", *(f"- {line}" for line in broken_lines(broken))]
    return "\n".join(parts) + "\n"
