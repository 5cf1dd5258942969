"""The limit of `exec`: posix_spawn and waitpid of /bin/true in a loop, in as many processes as there would be engines."""

import multiprocessing
import os
import time

import experiments

PROGRAM = "/bin/true"
AT_A_TIME = 16


class PosixSpawn(experiments.Peer):
    system = "posix-spawn"

    def __init__(self, scheme):
        pass


def spawn_loop(n):
    for _ in range(n):
        pid = os.posix_spawn(PROGRAM, [PROGRAM], os.environ)
        if os.waitpid(pid, 0)[1] != 0:
            raise RuntimeError(f"{PROGRAM} failed")


def bare(n, processes):
    """Seconds for n runs by that many looping processes, which are there before the clock starts. They take a few runs at a
    time: with fixed shares, the time would be that of the process that has the busiest core.
    """
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(spawn_loop, [4] * processes, chunksize=1)
        start = time.perf_counter()
        pool.map(spawn_loop, [AT_A_TIME] * (n // AT_A_TIME), chunksize=1)
        return time.perf_counter() - start


def run(_, plan, folder, record):
    def measure():
        n = plan.exec_n // AT_A_TIME * AT_A_TIME
        times = sorted(bare(n, plan.engines) for _ in range(3))  # it is the measure of others, and takes a few seconds
        record.add("exec", plan.engines, n=n, mode="", roundtrip_s=times[1], roundtrip_tasks_per_s=n / times[1])

    if "exec" in plan.experiments:
        record.attempt("exec", plan.engines, measure)


if __name__ == "__main__":
    experiments.main(PosixSpawn, run)
