"""A ParallelCluster as its users see it: the resource, its Pods, its API, and a client Pod beside it."""
import base64
import collections
import contextlib
import json
import os
import subprocess
import urllib.request

from kube import apply, get, is_ready, kubectl, pods, wait_for

IMAGE = os.environ.get("COVEY_TEST_IMAGE", "covey:dev")
NEXT_IMAGE = os.environ.get("COVEY_TEST_NEXT_IMAGE", "covey:next")  # the same, by another name
# Small, so that 31 engines find room on a node with four processors.
SMALL = {"requests": {"cpu": "10m", "memory": "16Mi"}}

# What a namespace that enforces `restricted` asks for.
POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def merged(base, over):
    result = dict(base)
    for key, value in over.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


@contextlib.contextmanager
def reachable(namespace, service, port):
    """HOST:PORT at which the Service answers here: its own where we are in the cluster's network, otherwise one that kubectl forwards."""
    if os.environ.get("COVEY_TEST_IN_NETWORK"):
        yield f"{get('service', service, namespace=namespace)['spec']['clusterIP']}:{port}"
        return
    forward = subprocess.Popen(["kubectl", "--namespace", namespace, "port-forward", f"service/{service}", f":{port}"], stdout=subprocess.PIPE, text=True)
    try:
        first = forward.stdout.readline()  # Forwarding from 127.0.0.1:41234 -> 8080
        if not first:
            raise OSError(f"kubectl port-forward to {service} ended")
        yield first.split()[2]
    finally:
        forward.terminate()
        forward.wait()


class Cluster:
    def __init__(self, namespace, name="demo", token=None, **spec):
        self.namespace, self.name, self.token_given = namespace, name, token
        base = {"engine": {"replicas": 2, "image": IMAGE, "resources": SMALL}, "controller": {"resources": SMALL}}
        self.object = {"apiVersion": "covey.dev/v1alpha1", "kind": "ParallelCluster", "metadata": {"name": name, "namespace": namespace}, "spec": merged(base, spec)}

    def apply(self):
        apply(self.object)
        return self

    def change(self, **spec):
        kubectl("patch", "pcl", self.name, "--type=merge", "-p", json.dumps({"spec": spec}), namespace=self.namespace)

    def scale(self, replicas):
        kubectl("scale", f"pcl/{self.name}", f"--replicas={replicas}", namespace=self.namespace)

    def delete(self):
        kubectl("delete", "pcl", self.name, "--wait=false", namespace=self.namespace)

    def read(self):
        return get("pcl", self.name, namespace=self.namespace)

    def condition(self, kind):
        for each in self.read().get("status", {}).get("conditions", []):
            if each["type"] == kind:
                return each
        return {"status": "Unknown", "reason": "", "message": ""}

    def wait_ready(self, seconds=120):
        def ready():
            status = self.read()
            condition = self.condition("Ready")
            return condition["status"] == "True" and condition["observedGeneration"] == status["metadata"]["generation"]
        wait_for(f"{self.name} is Ready", ready, seconds)
        return self

    def pods(self, component):
        return pods(self.namespace, f"covey.dev/cluster={self.name},app.kubernetes.io/component={component}")

    def engines(self):
        return [pod for pod in self.pods("engine") if is_ready(pod)]

    def wait_engines(self, count, seconds=120):
        def settled():
            all_pods = self.pods("engine")
            return len(all_pods) == count and all(is_ready(pod) for pod in all_pods)
        wait_for(f"{self.name} has just {count} engines", settled, seconds)

    # --- its HTTP API, through the Service --------------------------------------------------------------------------------

    def secret(self, name):
        return {key: base64.b64decode(value).decode() for key, value in get("secret", name, namespace=self.namespace)["data"].items()}

    def token(self):
        return self.token_given or self.secret(f"{self.name}-api")["token"]

    def call(self, path, body=None, seconds=60):
        """The API's answer; JSON where it is JSON."""
        with reachable(self.namespace, f"{self.name}-controller", 8080) as address:
            request = urllib.request.Request(f"http://{address}{path}", data=None if body is None else json.dumps(body).encode(),
                                             headers={"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                text = answer.read().decode()
        return json.loads(text) if answer.headers.get_content_type() == "application/json" else text

    def metric(self, name):
        for line in self.call("/metrics").splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
        raise KeyError(name)


class Client:
    """A Pod that runs a command of covey beside the cluster, over NATS, as a user's program would. `inputs` is its file /inputs/lines."""

    def __init__(self, cluster, *arguments, name="client", inputs=""):
        self.namespace, self.name = cluster.namespace, name
        metadata = {"name": name, "namespace": cluster.namespace}
        volumes = {"/etc/covey": {"secret": {"secretName": f"{cluster.name}-client", "defaultMode": 0o440}},
                   "/inputs": {"configMap": {"name": name}},
                   "/tmp": {"emptyDir": {}}}
        names = {path: path.strip("/").replace("/", "-") for path in volumes}
        container = {"name": "covey", "image": IMAGE, "args": list(arguments), "securityContext": CONTAINER_SECURITY,
                     "env": [{"name": "COVEY_CONNECT", "value": "/etc/covey/client.json"}],
                     "volumeMounts": [{"name": names[path], "mountPath": path} for path in volumes]}
        pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "enableServiceLinks": False, "securityContext": POD_SECURITY,
               "containers": [container], "volumes": [{"name": names[path], **volume} for path, volume in volumes.items()]}
        apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"lines": inputs}},
              {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod})

    def phase(self):
        return get("pod", self.name, namespace=self.namespace)["status"]["phase"]

    def output(self):
        return kubectl("logs", self.name, namespace=self.namespace)

    def results(self):
        return [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]

    def wait_results(self, count, seconds=120):
        wait_for(f"{self.name} has {count} results", lambda: len(self.results()) >= count, seconds)

    def finish(self, seconds=180):
        phase = wait_for(f"{self.name} ends", lambda: (p := self.phase()) in ("Succeeded", "Failed") and p, seconds)
        assert phase == "Succeeded", self.output()[-2000:]
        return self.results()


def map_client(cluster, function, inputs, name="client"):
    """A map of the function over the inputs, each result a line."""
    return Client(cluster, "map", function, "--insecure", "--file", "/inputs/lines", "--json", name=name, inputs="\n".join(map(str, inputs)))


def slow_map(cluster, count, seconds, name="client"):
    """Work that lasts: each task sleeps."""
    return map_client(cluster, "sleep", [seconds] * count, name)


def assert_nothing_lost(results, count):
    """Each input has its result, and has it once."""
    seen = collections.Counter(result["index"] for result in results)
    missing, repeated = sorted(set(range(count)) - set(seen)), sorted(index for index, times in seen.items() if times > 1)
    failed = [result for result in results if "error" in result or "value" not in result]
    assert not missing and not repeated and not failed and len(seen) == count, f"missing {missing}, more than once {repeated}, failed {failed}, of {count}"


def leftovers(namespace, name):
    kinds = "pods,services,secrets,configmaps,serviceaccounts,statefulsets.apps,deployments.apps,networkpolicies.networking.k8s.io,poddisruptionbudgets.policy,persistentvolumeclaims"
    return [f"{each['kind']}/{each['metadata']['name']}" for each in get(kinds, f"--selector=covey.dev/cluster={name}", namespace=namespace)["items"]]

