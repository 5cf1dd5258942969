"""HyperQueue on /bin/true: one worker of as many cores as there would be engines, through its Python package.

Two rows, since its client looks at a job once and then only every second: "client's wait" is the time until that client
returns, "server's count" the time until the server's own count of finished tasks is complete, asked for every 10 ms.
"""

import contextlib
import importlib.util
import pathlib
import subprocess
import sys
import time

import experiments

PROGRAM = "/bin/true"
POLL_S = 0.01


class HyperQueue(experiments.Peer):
    system = "hyperqueue"

    def __init__(self, scheme):
        pass


class StillRunning(Exception):
    """Ends one wait of HyperQueue's client early."""


def look(jobs):
    """A progress callback: HyperQueue's client calls it with the server's counts, before it sleeps for its second."""
    if not all(job["completed"] for job in jobs.values()):
        raise StillRunning


def wait_for_count(client, submitted):
    while True:
        try:
            return client.connection.wait_for_jobs([submitted.id], look)
        except StillRunning:
            time.sleep(POLL_S)


def wait_as_client(client, submitted):
    return client.connection.wait_for_jobs([submitted.id], lambda jobs: None)


def once(client, folder, count, wait):
    """(sent_s, roundtrip_s) of a job of that many tasks; it is built before the clock starts."""
    from hyperqueue import Job

    job = Job(default_workdir=folder, max_fails=1)
    for _ in range(count):
        job.program([PROGRAM], stdout=None, stderr=None)
    handles = []

    def submit():
        handles.append(client.submit(job))
        return handles[0]

    sent, roundtrip, failed = experiments.timed(submit, lambda handle: wait(client, handle))
    if failed:
        raise RuntimeError(f"{PROGRAM} failed in HyperQueue")
    client.forget(handles[0])
    return sent, roundtrip


@contextlib.contextmanager
def cluster(folder, cores):
    """A server and a worker for the length of the context; the client finds them through the folder."""
    package = importlib.util.find_spec("hyperqueue").submodule_search_locations[0]
    libraries = list(pathlib.Path(package).glob("hyperqueue*.so"))
    program = pathlib.Path(__file__).with_name("hyperqueue_cluster.py")
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-I", "-S", "-B", program, libraries[0], folder, str(cores)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        if not any(line == "ready\n" for line in process.stdout):  # the server describes itself first
            raise RuntimeError("HyperQueue's server did not start")
        try:
            yield
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def measure(plan, folder, record):
    from hyperqueue import Client

    client, n = Client(folder / "hq"), plan.exec_n
    once(client, folder, plan.engines, wait_for_count)
    for mode, wait in (("server's count", wait_for_count), ("client's wait", wait_as_client)):
        sent, roundtrip = experiments.median_of(plan.repeat, lambda: once(client, folder, n, wait), lambda: None)
        record.add("exec", plan.engines, n=n, mode=mode, sent_s=sent, sent_tasks_per_s=n / sent, roundtrip_s=roundtrip,
                   roundtrip_tasks_per_s=n / roundtrip)


def run(_, plan, folder, record):
    def work():
        with cluster(folder / "hq", plan.engines):
            measure(plan, folder, record)

    if "exec" in plan.experiments:
        record.attempt("exec", plan.engines, work)


if __name__ == "__main__":
    experiments.main(HyperQueue, run)
