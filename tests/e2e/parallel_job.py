"""A ParallelJob as its users see it: the resource, its Pods, and what they print."""
import json

from kube import apply, get, kubectl, pods, wait_for
from parallel_cluster import IMAGE, SMALL, merged

ENDED = ("Succeeded", "Failed")


class Job:
    """Of the steps given, as the job file has them. On the named cluster, or on one made for it, of that many engines."""

    def __init__(self, namespace, steps, name="job", cluster=None, engines=2, **spec):
        self.namespace, self.name = namespace, name
        base = {"job": json.dumps({"name": name, "steps": steps}), "runner": {"image": IMAGE, "resources": SMALL}}
        if cluster:
            base["clusterRef"] = {"name": cluster}
        else:
            base["clusterTemplate"] = {"engine": {"replicas": engines, "image": IMAGE, "resources": SMALL}, "controller": {"resources": SMALL}}
        self.object = {"apiVersion": "covey.dev/v1alpha1", "kind": "ParallelJob", "metadata": {"name": name, "namespace": namespace}, "spec": merged(base, spec)}

    def apply(self):
        apply(self.object)
        return self

    def delete(self):
        kubectl("delete", "pjob", self.name, "--wait=false", namespace=self.namespace)

    def read(self):
        return get("pjob", self.name, namespace=self.namespace)

    def status(self):
        return self.read().get("status", {})

    def condition(self, kind):
        for each in self.status().get("conditions", []):
            if each["type"] == kind:
                return each
        return {"status": "Unknown", "reason": "", "message": ""}

    def pods(self):
        return sorted(pods(self.namespace, f"covey.dev/job={self.name}"), key=lambda pod: pod["metadata"]["creationTimestamp"])

    def wait_progress(self, done, seconds=120):
        wait_for(f"{self.name} has done {done} tasks", lambda: self.status().get("progress", {}).get("done", 0) >= done, seconds)

    def finish(self, phase="Succeeded", seconds=180):
        status = wait_for(f"{self.name} ends", lambda: (s := self.status()).get("phase") in ENDED and s, seconds)
        assert status["phase"] == phase, (status, self.log()[-2000:] if status.get("attempt") else "")
        return status

    def log(self):
        return kubectl("logs", self.status()["pod"], namespace=self.namespace)

    def records(self):
        """The lines of NDJSON of its outputs, out of its log."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith('{"index"')]

    def report(self):
        """The rows of its benchmark's results.json, out of its log."""
        return next(json.loads(line) for line in self.log().splitlines() if line.startswith('{"meta"'))["rows"]


def sleeps(count, seconds, **more):
    return {"name": "sleeps", "map": {"function": "sleep", "inputs": {"range": {"to": count}}, "arguments": [seconds]}, **more}


def assert_each_once(records, count):
    assert sorted(record["index"] for record in records) == list(range(count))
    assert {record["status"] for record in records} == {"ok"}
