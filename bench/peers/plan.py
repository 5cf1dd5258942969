"""What is run: the sizes of each experiment, the same for every system. Knows no system."""

import dataclasses

EXPERIMENTS = ("latency", "sequential", "throughput", "push", "map", "exec")
# In the order in which they run: what is compared most closely, exec with its limit, runs close together.
SYSTEMS = ("ipyparallel", "dask", "ray", "hyperqueue", "posix-spawn", "covey")

# Ray keeps gaining beyond 4096 tasks, where the other peers have levelled off or slow down, so it is given more.
MOST_AT_ONCE = {"ray": 32768}
USUAL_MOST = 4096
A_MILLION = 1_000_000
# Where Covey is set against each peer's best n.
COVEY_AT = (USUAL_MOST, 32768, A_MILLION)


def powers_of_two(most):
    return tuple(2**power for power in range(most.bit_length()))


@dataclasses.dataclass
class Plan:
    quick: bool = False
    experiments: tuple = EXPERIMENTS
    engines: int = 4                          # latency, sequential, throughput, push, exec
    map_engines: tuple = (4, 31, 63)
    dts: tuple = tuple(2**power * 1e-3 for power in range(8))
    map_seconds: float = 2.0                  # the ideal time of each map
    ns: tuple = powers_of_two(32768)
    sizes: tuple = (1_000, 10_000, 100_000, 1_000_000, 4_000_000, 16_000_000)
    sequential: int = 1000
    exec_n: int = 4096                        # what covey bench exec runs
    repeat: int = 3

    def counts(self, system):
        """n of the latency experiment; what is not queued by Python objects one by one is given a million as well."""
        if system == "covey":
            return (*self.ns, A_MILLION)
        return tuple(n for n in self.ns if n <= MOST_AT_ONCE.get(system, USUAL_MOST))

    def repeats(self, n):
        """A short round is noisy and costs nothing to repeat."""
        return max(self.repeat, 5) if n <= 64 else self.repeat

    def arrays(self, size):
        """How many arrays of that size: 50 of 4 MB, 200 MB in all at most."""
        return min(20, max(2, 20_000_000 // size)) if self.quick else min(200, max(10, 200_000_000 // size))

    def sleeps(self, engines, dt):
        return engines * max(1, int(self.map_seconds / dt + 0.5))  # halves up, as covey bench has it

    def to_json(self):
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields):
        return Plan(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def quick(experiments):
    """Enough to fill every part of the table within minutes: fewer points, each measured once."""
    return Plan(quick=True, experiments=experiments, ns=(1, 8, 64, 512, 4096, 32768), map_engines=(4, 63),
                dts=(0.004, 0.016, 0.064), map_seconds=0.25, sizes=(1_000, 100_000, 4_000_000), sequential=200, repeat=1)
