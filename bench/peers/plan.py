"""What is run: the sizes of each experiment, the same for every system. Knows no system."""

import dataclasses

EXPERIMENTS = ("latency", "sequential", "throughput", "push", "map", "exec")
SYSTEMS = ("ipyparallel", "dask", "ray", "hyperqueue", "covey")

# Ray keeps gaining beyond 4096 tasks, where the others have levelled off, so it is given more.
MOST_AT_ONCE = {"ray": 32768}
USUAL_MOST = 4096


@dataclasses.dataclass
class Plan:
    quick: bool = False
    experiments: tuple = EXPERIMENTS
    engines: int = 4                          # latency, sequential, throughput, push
    map_engines: tuple = (4, 31, 63)
    dts: tuple = tuple(2**power * 1e-3 for power in range(8))
    map_seconds: float = 2.0                  # the ideal time of each map
    sizes: tuple = (1_000, 10_000, 100_000, 1_000_000, 4_000_000, 16_000_000)
    sequential: int = 1000
    exec_n: int = 4096
    repeat: int = 3

    def counts(self, system):
        """n of the latency experiment: powers of two."""
        most = 64 if self.quick else MOST_AT_ONCE.get(system, USUAL_MOST)
        return [2**power for power in range(most.bit_length())]

    def arrays(self, size):
        """How many arrays of that size: 200 MB at most, 50 of 4 MB as the measurements before had it."""
        return min(20, max(2, 20_000_000 // size)) if self.quick else min(200, max(10, 200_000_000 // size))

    def sleeps(self, engines, dt):
        return engines * max(1, int(self.map_seconds / dt + 0.5))  # halves up, as covey bench has it

    def to_json(self):
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields):
        return Plan(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def quick(experiments, map_seconds=None):
    """Small enough to see within a few minutes that everything works; its figures mean little."""
    return Plan(quick=True, experiments=experiments, map_engines=(4, 8), dts=(0.004, 0.016), sizes=(1_000, 100_000, 4_000_000),
                map_seconds=map_seconds or 0.25, sequential=50, exec_n=256, repeat=1)
