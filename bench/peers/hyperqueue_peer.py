"""HyperQueue on /bin/true, and beside it the limit: posix_spawn and waitpid in a loop, in a process per core."""

import multiprocessing
import os
import time

import experiments

PROGRAM = "/bin/true"
POLL_S = 0.01


class HyperQueue(experiments.Peer):
    system = "hyperqueue"

    def __init__(self, scheme):
        pass


class PosixSpawn(experiments.Peer):
    system = "posix-spawn"


def spawn_loop(n):
    for _ in range(n):
        pid = os.posix_spawn(PROGRAM, [PROGRAM], os.environ)
        if os.waitpid(pid, 0)[1] != 0:
            raise RuntimeError(f"{PROGRAM} failed")


def bare(n, processes):
    """Seconds for n runs shared out over that many looping processes."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(spawn_loop, [4] * processes, chunksize=1)
        start = time.perf_counter()
        pool.map(spawn_loop, [n // processes] * processes, chunksize=1)
        return time.perf_counter() - start


class StillRunning(Exception):
    """Ends one wait of HyperQueue's client early."""


def wait(client, submitted):
    """Waits for a job to within POLL_S. The client's own wait looks at once and then only every second: a lone task would
    seem to take a second, and 256 of them too. Raising from its progress callback ends it after the first look.
    """
    def look(jobs):
        if not all(job["completed"] for job in jobs.values()):
            raise StillRunning

    while True:
        try:
            if client.connection.wait_for_jobs([submitted.id], look):
                raise RuntimeError(f"{PROGRAM} failed in HyperQueue")
            return
        except StillRunning:
            time.sleep(POLL_S)


def add(record, peer, engines, n, roundtrip, sent=None):
    record.peer = peer
    fields = {"sent_s": sent, "sent_tasks_per_s": n / sent} if sent else {}
    record.add("exec", engines, n=n, **fields, roundtrip_s=roundtrip, roundtrip_tasks_per_s=n / roundtrip)


def run(peer, plan, folder, record):
    n, engines = plan.exec_n, plan.engines
    spent, _ = experiments.median_of(plan.repeat, lambda: (bare(n, engines),) * 2, lambda: None)
    add(record, PosixSpawn(), engines, n, spent)

    from hyperqueue import Job
    from hyperqueue.cluster import LocalCluster, WorkerConfig

    start = time.perf_counter()
    (folder / "hq").mkdir()
    with LocalCluster(server_dir=str(folder / "hq"), worker_config=WorkerConfig(cores=engines)) as cluster:
        client = cluster.client()

        def once(count=n):
            job = Job(default_workdir=folder, max_fails=1)
            for _ in range(count):
                job.program([PROGRAM], stdout=None, stderr=None)
            sent, roundtrip, _ = experiments.timed(lambda: client.submit(job), lambda handle: wait(client, handle))
            return sent, roundtrip

        once(engines)
        record.peer = peer
        record.add("startup", engines, wall_s=time.perf_counter() - start)
        sent, roundtrip = experiments.median_of(plan.repeat, once, lambda: None)
    add(record, peer, engines, n, roundtrip, sent)


if __name__ == "__main__":
    experiments.main(HyperQueue, run)
