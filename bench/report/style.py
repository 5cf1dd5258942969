"""The look of the plots: colours, markers, axes, legends. Knows matplotlib, but not what is measured.

Every plot is drawn twice, on light and on dark, because the page follows the reader's setting. The colours are Okabe and
Ito's, which colour-blind readers can tell apart, lightened where the dark ground needs it; markers tell transports apart,
so that no line is known by its colour alone.
"""

import matplotlib

matplotlib.use("Agg")  # no display is needed, or looked for
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator  # noqa: E402

import words  # noqa: E402

DPI = 150
SIZE = (10.6, 5.4)  # inches: 1590 × 810 pixels
THEMES = {
    "light": {"ground": "#ffffff", "ink": "#1c2024", "faint": "#dfe3e8", "muted": "#5b6570",
              "colours": ["#0072b2", "#d55e00", "#009e73", "#b0569a", "#b97f00", "#3a9fd8", "#6b6b6b", "#7a4b2a"]},
    "dark": {"ground": "#171a1e", "ink": "#e6e9ec", "faint": "#33393f", "muted": "#a0a9b2",
             "colours": ["#4aa8e8", "#ff8a3d", "#2fcf9f", "#e59bce", "#f2b632", "#8fd3ff", "#b5b5b5", "#c99a73"]},
}
# A system keeps its colour in every plot and in every report; the rest take what is left, in order.
FIXED = {("covey", "controller"): 0, ("covey", "direct"): 1, ("ipyparallel", "leastload"): 2, ("ipyparallel", "pure"): 3,
         ("dask", ""): 4, ("ray", ""): 5}
MARKERS = {"": "o", "plain": "o", "tls": "s", "ssh": "^"}
MARKERS_OF_MODES = {"": "v", "plain": "v", "tls": "D", "ssh": "P"}  # a mode is a series beside the plain one


def lookups(keys, theme):
    """For each series key a (colour, marker); the same call gives the same answer."""
    colours = THEMES[theme]["colours"]
    spare = [colour for index, colour in enumerate(colours) if index not in
             {FIXED[key[:2]] for key in keys if key[:2] in FIXED}] or colours
    chosen, looks = {}, {}
    for key in keys:
        system, scheme, transport, mode = key[:4]
        lead = (system, scheme, mode)
        if lead not in chosen:
            fixed = None if mode else FIXED.get((system, scheme))
            unknown = [one for one in chosen if one[2] or one[:2] not in FIXED]
            chosen[lead] = colours[fixed] if fixed is not None else spare[len(unknown) % len(spare)]
        looks[key] = (chosen[lead], (MARKERS_OF_MODES if mode else MARKERS).get(transport, "X"))
    return looks


def new(theme, title, subtitle="", panels=0):
    """A figure and its axes; with `panels`, that many axes in a row, and the title over the first."""
    look = THEMES[theme]
    plt.rcParams.update({
        "font.family": "DejaVu Sans", "font.size": 11, "axes.edgecolor": look["muted"], "text.color": look["ink"],
        "axes.labelcolor": look["ink"], "xtick.color": look["muted"], "ytick.color": look["muted"],
        "figure.facecolor": look["ground"], "axes.facecolor": look["ground"], "savefig.facecolor": look["ground"],
        "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.8, "lines.markersize": 5.5,
    })
    figure, grid = plt.subplots(1, panels or 1, figsize=SIZE, dpi=DPI, squeeze=False)
    for axes in grid[0]:
        axes.grid(True, which="major", color=look["faint"], linewidth=0.8)
        axes.set_axisbelow(True)
    first = grid[0][0]
    first.set_title(title, loc="left", fontsize=14, fontweight="bold", pad=26 if subtitle else 12)
    first.text(0, 1.025, subtitle, transform=first.transAxes, color=look["muted"], fontsize=10.5)
    return figure, list(grid[0]) if panels else first


def powers_of_two(axis, values, write, most=9):
    """A log2 axis whose ticks are measured values, thinned out to at most `most` so that their labels keep apart."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.axes.set(**{f"{axis.axis_name}scale": matplotlib.scale.LogScale(axis, base=2)})
    ticks = sorted(set(values))
    step = -(-len(ticks) // most)
    ticks = ticks[::step]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_locator(NullLocator())


def decades(axis, write):
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(base=10, numticks=20))
    axis.set_minor_locator(LogLocator(base=10, subs=range(2, 10), numticks=200))
    low, high = axis.get_view_interval()
    # Where less than two decades are shown, powers of ten alone would leave the axis nearly without figures.
    if high / low < 100:
        axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5) if high / low > 5 else (1, 1.5, 2, 3, 4, 5, 6, 8), numticks=40))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())


def legend(figure, axes, entries, styles=()):
    """A legend beside the axes, never over the data: the lines, then what solid and dashed mean."""
    ink = axes.xaxis.label.get_color()
    handles = [Line2D([], [], color=colour, marker=marker, linestyle="-", label=label)
               for label, (colour, marker) in entries]
    handles += [Line2D([], [], color=ink, linestyle=dash, linewidth=1.6, label=label) for label, dash in styles]
    box = axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.015, 1.02), bbox_transform=axes.transAxes,
                      frameon=False, fontsize=10, handlelength=2.4, labelspacing=0.6, borderaxespad=0)
    # The room on the right is kept by save(): a legend that took part in the layout would push the panels apart.
    box.set_in_layout(False)
    figure._covey_legend = box


def save(figure, folder, stem, theme):
    """Writes the PNG, always of the same size, and returns its name."""
    name = f"{stem}.png" if theme == "light" else f"{stem}-{theme}.png"
    first = figure.axes[0]
    for label in (first.title, first._left_title, *first.texts):
        label.set_in_layout(False)  # the heading runs over all panels and must not widen the first
    figure.canvas.draw()
    wide = figure._covey_legend.get_window_extent().width / figure.bbox.width
    figure.tight_layout(rect=(0, 0, 0.985 - wide, 1))
    figure.savefig(folder / name, dpi=DPI)
    plt.close(figure)
    return name


def plain(value):
    return words.count(value)
