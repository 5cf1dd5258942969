"""IPython parallel: leastload (its Python scheduler) or pure (ZeroMQ's own), as the seed page compares them."""

import os
import time

import experiments


def echo(value):
    return value


class IPythonParallel(experiments.Peer):
    system = "ipyparallel"

    def __init__(self, scheme):
        self.scheme = scheme or "leastload"

    def start(self, engines, folder):
        # Profiles, logs and connection files go where the run is cleaned up, not into the user's home.
        os.environ["IPYTHONDIR"] = str(folder / "ipython")
        import ipyparallel

        self.cluster = ipyparallel.Cluster(
            n=engines, controller_ip="127.0.0.1", engine_timeout=300, log_level=40,
            controller_args=[f"--TaskScheduler.scheme_name={self.scheme}"])
        self.cluster.start_cluster_sync()
        waiting = self.cluster.connect_client_sync()
        waiting.wait_for_engines(engines, timeout=300, interactive=False)
        waiting.close()
        # The pure scheme switches itself off in a client that sees engines register, so a second one does the work.
        self.client = self.cluster.connect_client_sync()
        self.view = self.client.load_balanced_view()
        self.one = self.client[self.client.ids[0]]
        self.client[:].apply_sync(echo, "")

    def stop(self):
        self.client.close()
        self.cluster.stop_cluster_sync()

    def submit_echo(self, payload):
        return self.view.apply_async(echo, payload)

    def submit_sleeps(self, dt, n):
        return [self.view.map_async(time.sleep, [dt] * n)]

    def push(self, payload):
        return self.one.push({"pushed": payload}, block=False)

    def collect(self, handles):
        self.client.wait(handles)
        return [handle.get() for handle in handles]

    def forget(self):
        # The client keeps every result and the id of every task; unpurged, later rounds slow down.
        self.client.purge_local_results("all")
        for view in (self.view, self.one):
            view.results.clear()
            view.history.clear()
        self.client.history.clear()


if __name__ == "__main__":
    experiments.main(IPythonParallel)
