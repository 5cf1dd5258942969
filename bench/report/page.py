"""Sections and plots as one HTML page, which asks for nothing but the pictures beside it."""

import html

import results
import tables
import words

TITLES = {"latency": ("Tasks per second over the number of tasks at once", "Roundtrip tasks per second over engines"),
          "throughput": ("Time per array over its size", "Gbit/s one way over the size of an array"),
          "map": ("Efficiency over the length of a task", "Wall time over the length of a task",
                  "Efficiency of all systems, a panel per number of engines")}

CSS = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2024; --muted: #5b6570; --line: #dfe3e8; --band: #f6f7f9;
        --mark: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #171a1e; --ink: #e6e9ec; --muted: #a0a9b2; --line: #33393f; --band: #1e2226; --mark: #4aa8e8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--ground); color: var(--ink);
       font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; margin: 0 0 .25rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: .5rem 0 1rem; }
nav { margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; }
a { color: var(--mark); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
dt, .muted { color: var(--muted); }
dd { margin: 0; }
.quick { border-left: 4px solid #e69f00; background: var(--band); padding: .5rem .9rem; }
figure { margin: 1.25rem 0; }
figure img { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; margin: 1rem 0 1.5rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .35rem; }
th, td { padding: .28rem .75rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; }
thead th { border-bottom: 2px solid var(--line); }
th:first-child { text-align: left; padding-left: 0; position: sticky; left: 0; background: var(--ground); }
tbody th { color: var(--ink); }
tbody tr:hover > * { background: var(--band); }
details table { font-size: .78rem; }
summary { cursor: pointer; color: var(--muted); }
"""


def text(value):
    return html.escape(str(value))


def table(one):
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in one.columns)
    body = "\n".join("<tr>" + f'<th scope="row">{text(line[0])}</th>' + "".join(f"<td>{text(cell)}</td>" for cell in
                     line[1:]) + "</tr>" for line in one.lines)
    return (f'<div class="scroll"><table><caption>{text(one.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table></div>")


def plot(pair, title):
    light, dark = pair
    return (f'<figure><picture><source srcset="{text(dark)}" media="(prefers-color-scheme: dark)">'
            f'<img src="{text(light)}" alt="{text(title)}" width="1590" height="810"></picture></figure>')


def facts(meta):
    machine = meta.get("machine")
    machine = machine if isinstance(machine, dict) else {}
    known = [("Measured", meta.get("date")), ("Covey", meta.get("covey")), ("NATS server", meta.get("nats_server")),
             ("Processor", machine.get("model")), ("Cores", machine.get("cores")),
             ("Memory", words.memory(machine["memory"]) if machine.get("memory") else None)]
    rows = "".join(f"<dt>{text(label)}</dt><dd>{text(value)}</dd>" for label, value in known if value)
    quick = ('<p class="quick">This was a quick run, with small sizes and few repetitions: it shows that everything works, '
             "and its figures should not be quoted.</p>") if meta.get("quick") else ""
    failed = "".join(f"<li>{text(words.name(results.series_key(row)))}, {text(row['experiment'])}: {text(row['error'])}</li>"
                     for row in meta.get("failed", ()))
    return (f"<dl>{rows}</dl>" if rows else "") + quick + (f"<p>These have failed:</p><ul>{failed}</ul>" if failed else "")


def build(meta, rows, drawn):
    """The whole page as text. `drawn` is what plots.draw returned."""
    sections = tables.sections(rows)
    links = "".join(f'<a href="#{section.experiment}">{text(section.title)}</a>' for section in sections)
    parts = []
    for section in sections:
        pictures = zip(drawn.get(section.experiment, ()), picture_titles(section.experiment, drawn))
        parts += [f'<section><h2 id="{section.experiment}">{text(section.title)}</h2>', f"<p>{text(section.intro)}</p>",
                  *(plot(pair, title) for pair, title in pictures), *(table(one) for one in section.tables)]
        own = [row for row in rows if row["experiment"] == section.experiment]
        parts.append(f"<details><summary>All {len(own)} rows</summary>{table(tables.raw(own))}</details></section>")
    note = ("Figures have three significant digits; a measurement that was repeated shows its median. Ratios are only taken "
            "within one run, since this kind of machine drifts from hour to hour.")
    return ("<!DOCTYPE html>\n" f'<html lang="en"><head><meta charset="utf-8"><title>Covey: measurements</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{CSS}</style></head>\n<body>\n'
            f"<header><h1>Covey: measurements</h1>{facts(meta)}<p class=\"muted\">{text(note)}</p><nav>{links}</nav></header>"
            "\n" + "\n".join(parts) + "\n</body></html>\n")


def picture_titles(experiment, drawn):
    """The alternative text of each picture, found by its file name since some may have been left out."""
    stems = {"latency.png": 0, "latency2.png": 1, "throughput1.png": 0, "throughput2.png": 1, "map.png": 0,
             "map-time.png": 1, "map-systems.png": 2}
    return [TITLES[experiment][stems[light]] for light, _ in drawn.get(experiment, ())]
