"""floors.py FIGURES: holds what bench/http/run measured against the floors, and exits with 1 naming each that was missed.
FIGURES has lines `figure NAME VALUE`; the last one of a name counts, and other lines are not looked at."""

import operator
import sys

# A map's efficiency varies that much from run to run.
EFFICIENCY_NOISE = 0.01

AT_LEAST, AT_MOST, BELOW = (operator.ge, "at least"), (operator.le, "at most"), (operator.lt, "below")


class Floor:
    """What a figure has to be. `limit` is a number, or a function of all figures."""

    def __init__(self, figure, comparison, limit, about):
        self.figure, self.comparison, self.limit, self.about = figure, comparison, limit, about

    def verdict(self, figures):
        """Whether it is met, and a line that says so."""
        compare, words = self.comparison
        try:
            limit = self.limit(figures) if callable(self.limit) else self.limit
            value = figures[self.figure]
        except KeyError as missing:
            return False, f"{self.about}: not measured ({missing.args[0]} is missing)"
        met = compare(value, limit)
        return met, f"{self.about}: {value:g}, {words} {limit:g} wanted"


FLOORS = [
    Floor("post_per_s", AT_LEAST, 10_000, "POST /v1/tasks?wait a second"),
    Floor("post_errors", AT_MOST, 0, "POST /v1/tasks?wait without a result, or with an error"),
    Floor("map_s", BELOW, 20, "seconds for a million inputs and their results"),
    Floor("map_inputs", AT_LEAST, 1_000_000, "inputs of the map"),
    Floor("map_ok", AT_LEAST, lambda figures: figures["map_inputs"], "results of the map that are ok"),
    Floor("controller_mb", BELOW, 400, "the controller's memory in MB"),
    Floor("streams", AT_LEAST, 1_000, "event streams at once"),
    Floor("streams_silent", AT_MOST, 0, "event streams that were refused or got nothing"),
    Floor("load_per_s", AT_LEAST, 95, "GET /v1/tasks a second beside the map"),
    Floor("load_errors", AT_MOST, 0, "GET /v1/tasks with an error"),
    Floor("efficiency_loaded", AT_LEAST, lambda figures: figures["efficiency_alone"] - EFFICIENCY_NOISE, "the map's efficiency beside these"),
]


def read_figures(lines):
    figures = {}
    for line in lines:
        words = line.split()
        if len(words) == 3 and words[0] == "figure":
            figures[words[1]] = float(words[2])
    return figures


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        figures = read_figures(file)
    missed = 0
    for floor in FLOORS:
        met, line = floor.verdict(figures)
        missed += not met
        print(f"{'met' if met else 'MISSED'}: {line}", file=sys.stdout if met else sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
