#!/usr/bin/env python3
"""Draws the results of `covey bench` and `bench/peers/run`: render.py RESULTS.json FOLDER.

Writes FOLDER/index.html and the PNG plots beside it, each once for light and once for dark pages. Exit status 0 when
written, 2 when the input or the arguments are wrong, 1 when something else failed.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import results  # noqa: E402


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Draws benchmark results as plots and one HTML page.")
    parser.add_argument("results", type=pathlib.Path, help="JSON written by covey bench or bench/peers/run")
    parser.add_argument("folder", type=pathlib.Path, help="where index.html and the plots go; made if it is not there")
    options = parser.parse_args(arguments)
    try:
        meta, rows = results.load(options.results)
    except results.BadInput as error:
        print(f"render.py: {error}", file=sys.stderr)
        return 2
    try:
        import page
        import plots
    except ModuleNotFoundError as error:
        print(f"render.py: {error.name} is missing: apt install python3-matplotlib, or, where that conflicts with "
              f"libboost1.81-dev, pip install -r {pathlib.Path(__file__).parent}/requirements.txt in a venv", file=sys.stderr)
        return 1
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        drawn = plots.draw(rows, options.folder)
        (options.folder / "index.html").write_text(page.build(meta, rows, drawn), encoding="utf-8")
    except OSError as error:
        print(f"render.py: {error.filename or options.folder}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{options.folder / 'index.html'}: {len(rows)} rows, {sum(len(pairs) for pairs in drawn.values())} plots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
