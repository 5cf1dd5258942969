"""Ray: tasks of one CPU each on as many logical CPUs as there are to be engines; large values go through shared memory."""

import os
import time

import experiments

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DISABLE_IMPORT_WARNING="1", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
                  RAY_enable_open_telemetry="0", RAY_DEDUP_LOGS="0")


class Ray(experiments.Peer):
    system = "ray"

    def __init__(self, scheme):
        pass

    def start(self, engines, folder):
        import ray

        self.ray = ray
        # Sockets live in this folder, and their paths may have no more than 107 characters.
        ray.init(num_cpus=engines, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=str(folder),
                 object_store_memory=4 << 30, log_to_driver=False, logging_level="ERROR", configure_logging=True)
        self.echo = ray.remote(num_cpus=1)(lambda value: value)
        self.sleep = ray.remote(num_cpus=1)(lambda dt: time.sleep(dt))

        def whoami(pause):
            time.sleep(pause)
            return os.getpid()

        # Workers start when there is work. All are there once that many processes have answered one round of pauses.
        who, deadline = ray.remote(num_cpus=1)(whoami), time.monotonic() + 300
        while len(set(ray.get([who.remote(0.2) for _ in range(engines)]))) < engines:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Ray did not bring up {engines} workers in 300 s")

    def stop(self):
        self.ray.shutdown()

    def submit_echo(self, payload):
        return self.echo.remote(payload)

    def submit_sleeps(self, dt, n):
        return [self.sleep.remote(dt) for _ in range(n)]

    def collect(self, handles):
        return self.ray.get(handles)


if __name__ == "__main__":
    experiments.main(Ray)
