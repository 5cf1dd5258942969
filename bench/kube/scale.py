"""The measurements of bench/kube/run, which sets the stage. Simulated Pods run nothing, so no engine registers, and the operator may delete
them at once: what is measured is its own pace and the API server's. With --registered N the first N have a real engine each, on this machine,
so that the controller lists them, and they are drained before they go."""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/e2e"))
from kube import SYSTEM, apply, get, kubectl, pods, wait_for  # noqa: E402
from registrations import Registrations  # noqa: E402

STATE = pathlib.Path(os.environ.get("CLUSTER_DIR", "/tmp/" + os.environ["COVEY_TEST_CLUSTER"]))
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "covey/cluster/bin"
SIMULATED = {"nodeSelector": {"type": "kwok"}, "tolerations": [{"key": "kwok", "operator": "Exists"}]}


@contextlib.contextmanager
def simulated_nodes(count):
    def node(n):
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"kwok-{n}", "labels": {"type": "kwok"}, "annotations": {"kwok.x-k8s.io/node": "fake"}},
                "spec": {"taints": [{"key": "kwok", "value": "fake", "effect": "NoSchedule"}]},
                "status": {"capacity": {"cpu": "256", "memory": "1Ti", "pods": "2000"}, "allocatable": {"cpu": "256", "memory": "1Ti", "pods": "2000"}}}

    stages = [f"--config={file}" for file in sorted((CACHE / "stages").glob("*.yaml"))]
    with open(STATE / "log/kwok.log", "w") as log:
        kwok = subprocess.Popen(["kwok", f"--kubeconfig={STATE}/admin.kubeconfig", "--manage-all-nodes=false", "--node-ip=10.244.0.1",
                                 # Without Leases a busy kwok is late with its nodes' signs of life, and their Pods count as lost.
                                 "--node-lease-duration-seconds=40",
                                 "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", *stages], stdout=log, stderr=log)
    try:
        apply(*map(node, range(count)))
        wait_for("simulated nodes", lambda: all(any(c["type"] == "Ready" and c["status"] == "True" for c in each["status"].get("conditions", []))
                                                for each in get("nodes", "--selector=type=kwok")["items"]))
        yield
    finally:
        kwok.terminate()
        kwok.wait()


class PodWatch(threading.Thread):
    """When each Pod of a namespace was made, became Ready and went, by this machine's clock."""

    def __init__(self, namespace, registered=0):
        super().__init__(daemon=True)
        self.registered, self.registrations = registered, Registrations(namespace)
        self.made, self.ready, self.gone = {}, {}, {}
        self.path, self.version, self.closed = f"/api/v1/namespaces/{namespace}/pods?watch=1&labelSelector=scale%3Dyes", None, False
        self.process = self.begin()
        self.start()

    def begin(self):
        since = f"&resourceVersion={self.version}" if self.version else ""
        return subprocess.Popen(["kubectl", "get", "--raw", self.path + since], stdout=subprocess.PIPE, text=True)

    def run(self):
        """The API server ends a watch whose reader is slow: it goes on where it was."""
        while True:
            self.follow()
            self.process.wait()
            if self.closed:
                return
            self.process = self.begin()

    def follow(self):
        for line in self.process.stdout:
            now, event = time.monotonic(), json.loads(line)
            if event["type"] == "ERROR":
                raise RuntimeError(f"the watch of Pods failed: {event['object']}")
            self.version = event["object"]["metadata"]["resourceVersion"]
            uid = event["object"]["metadata"]["uid"]
            if event["type"] == "DELETED":
                self.gone.setdefault(uid, now)
                self.registrations.gone(uid)
                continue
            self.made.setdefault(uid, now)
            if any(each["type"] == "Ready" and each["status"] == "True" for each in event["object"].get("status", {}).get("conditions", [])):
                self.ready.setdefault(uid, now)
                if len(self.ready) <= self.registered:
                    self.registrations.started(event["object"])

    def close(self):
        self.closed = True
        while self.is_alive():  # it may just be beginning another
            self.process.terminate()
            self.join(1)
        self.registrations.close()


def pace(moments, began):
    """How long until all, and how many a second between the first and the last."""
    last, first = max(moments.values()), min(moments.values())
    return {"seconds": round(last - began, 2), "a_second": round((len(moments) - 1) / max(last - first, 1e-9), 1)}


def up_and_down(namespace, count, scale_to, registered=0):
    watch = PodWatch(namespace, registered)
    try:
        began = time.monotonic()
        scale_to(count)
        wait_for(f"{count} Pods", lambda: len(watch.ready) >= count, seconds=600)
        up = {"created": pace(watch.made, began), "ready": pace(watch.ready, began)}
        memory = operator_memory_mb()
        began = time.monotonic()
        scale_to(0)
        wait_for("no Pod", lambda: len(watch.gone) >= count, seconds=600)
        return {**up, "deleted": pace(watch.gone, began), "operator_mb": memory, "pods_made": len(watch.made)}
    finally:
        watch.close()


def deployment(namespace):
    labels = {"scale": "yes"}
    apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "bare", "namespace": namespace},
           "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {**SIMULATED, "containers": [{"name": "engine", "image": "covey:dev"}]}}}})
    return lambda count: kubectl("scale", "deployment/bare", f"--replicas={count}", namespace=namespace)


def cluster_object(namespace, name, replicas):
    return {"apiVersion": "covey.dev/v1alpha1", "kind": "ParallelCluster", "metadata": {"name": name, "namespace": namespace},
            "spec": {"engine": {"replicas": replicas, "image": "covey:dev", "podTemplate": {"metadata": {"labels": {"scale": "yes"}}, "spec": SIMULATED}}}}


def parallel_cluster(namespace):
    apply(cluster_object(namespace, "scale", 0))
    wait_for("a controller", lambda: any(each["type"] == "ControllerReady" and each["status"] == "True"
                                         for each in get("pcl", "scale", namespace=namespace).get("status", {}).get("conditions", [])))
    return lambda count: kubectl("scale", "pcl/scale", f"--replicas={count}", namespace=namespace)


def operators():
    return pods(SYSTEM, "app.kubernetes.io/component=operator")


def operator_memory_mb():
    """The most that an operator holds now; the one that leads holds most."""
    sizes = []
    for pod in operators():
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        listed = subprocess.run(["ctr", "-a", f"{STATE}/containerd.sock", "-n", "k8s.io", "tasks", "ls"], capture_output=True, text=True).stdout
        for line in listed.splitlines():
            if line.startswith(container):
                status = pathlib.Path(f"/proc/{line.split()[1]}/status").read_text()
                sizes.append(int(next(row.split()[1] for row in status.splitlines() if row.startswith("VmRSS"))) / 1024)
    return round(max(sizes, default=0), 1)


def many_clusters(count, engines):
    """Clusters whose every Pod is simulated: all objects are made, none gets Ready."""
    namespace = "many"
    kubectl("create", "namespace", namespace)
    watch = PodWatch(namespace)
    try:
        began = time.monotonic()
        for start in range(0, count, 50):
            apply(*[cluster_object(namespace, f"c{n}", engines) for n in range(start, min(start + 50, count))])
        applied = time.monotonic() - began
        wait_for("all engine Pods", lambda: len(watch.made) >= count * engines, seconds=900)
        return {"clusters": count, "apply_seconds": round(applied, 2), "created": pace(watch.made, began), "operator_mb": operator_memory_mb()}
    finally:
        watch.close()


def reconcile_figures():
    """What the leading operator says of its own passes."""
    for pod in operators():
        text = kubectl("get", "--raw", f"/api/v1/namespaces/{SYSTEM}/pods/{pod['metadata']['name']}:8080/proxy/metrics")
        buckets = []
        for line in text.splitlines():
            if line.startswith("covey_operator_reconcile_seconds_bucket"):
                bound = line.split('le="')[1].split('"')[0]
                buckets.append((float("inf") if bound == "+Inf" else float(bound), float(line.rsplit(" ", 1)[1])))
        if buckets and buckets[-1][1] > 0:
            total = buckets[-1][1]
            return {"passes": int(total), "p99_seconds_at_most": next(bound for bound, below in buckets if below >= 0.99 * total)}
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--engines", type=int, default=5, help="of each of the clusters")
    parser.add_argument("--registered", type=int, default=0, metavar="N", help="real engines for the first N of the Pods (about 2 MB each)")
    parser.add_argument("--json", type=pathlib.Path, help="leave the figures there")
    parser.add_argument("--bare", action="store_true", help="only the Deployment")
    options = parser.parse_args()
    figures = {}
    with simulated_nodes(4):
        for name in ("bare", "covey"):
            kubectl("create", "namespace", f"scale-{name}")
        figures["deployment"] = up_and_down("scale-bare", options.pods, deployment("scale-bare"))
        print("deployment", json.dumps(figures["deployment"]), flush=True)
        if not options.bare:
            kubectl("apply", "--server-side", "-k", str(TREE / "manifests"))
            kubectl("rollout", "status", "deployment/covey-operator", "--timeout=120s", namespace=SYSTEM, timeout=150)
            figures["covey"] = up_and_down("scale-covey", options.pods, parallel_cluster("scale-covey"), options.registered)
            print("covey", json.dumps(figures["covey"]), flush=True)
            figures["ratio"] = round(figures["covey"]["created"]["a_second"] / figures["deployment"]["created"]["a_second"], 2)
            figures["many"] = many_clusters(options.clusters, options.engines)
            figures["reconcile"] = reconcile_figures()
            print(json.dumps({key: figures[key] for key in ("ratio", "many", "reconcile")}, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
