"""Dask distributed: one process per engine, one thread in each."""

import time

import experiments


def echo(value):
    return value


class Dask(experiments.Peer):
    system = "dask"

    def __init__(self, scheme):
        pass

    def start(self, engines, folder):
        import dask
        import distributed

        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB",
                         "distributed.comm.timeouts.connect": "120s"})
        self.cluster = distributed.LocalCluster(
            n_workers=engines, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            memory_limit=0, local_directory=str(folder), silence_logs=50)
        self.client = distributed.Client(self.cluster)
        self.client.wait_for_workers(engines, timeout=300)
        self.client.run(echo, "")

    def stop(self):
        self.client.close()
        self.cluster.close(timeout=60)

    def submit_echo(self, payload):
        # pure=True, the default, would run equal calls once and answer the others from memory.
        return self.client.submit(echo, payload, pure=False)

    def submit_sleeps(self, dt, n):
        return self.client.map(time.sleep, [dt] * n, pure=False)

    def collect(self, handles):
        return self.client.gather(handles)


if __name__ == "__main__":
    # LocalCluster starts its workers by spawning this very file; only the first process runs the experiments.
    experiments.main(Dask)
