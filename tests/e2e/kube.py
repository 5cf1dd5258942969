"""kubectl for the tests: objects in and out, and waiting for a condition until a deadline."""
import json
import os
import subprocess
import time

SYSTEM = "covey-system"  # the namespace of the operator that manifests/ installs


class KubectlError(Exception):
    pass


def kubectl(*arguments, namespace=None, stdin=None, timeout=60):
    command = ["kubectl", *(["--namespace", namespace] if namespace else []), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise KubectlError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def get(*arguments, namespace=None):
    return json.loads(kubectl("get", *arguments, "-o", "json", namespace=namespace))


def find(*arguments, namespace=None):
    """The object, or None where it is not there."""
    text = kubectl("get", *arguments, "-o", "json", "--ignore-not-found", namespace=namespace)
    return json.loads(text) if text else None


def apply(*objects, namespace=None):
    kubectl("apply", "-f", "-", namespace=namespace, stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def wait_for(what, condition, seconds=120, every=0.2):
    """The condition's first true value. A condition that cannot ask right now is asked again."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except (KubectlError, OSError, KeyError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}; the last answer was {last!r}")


def pods(namespace, selector=""):
    return get("pods", f"--selector={selector}", namespace=namespace)["items"]


def is_ready(pod):
    conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def runtime_socket():
    """Of the node, where it is one of our own."""
    state = os.environ.get("CLUSTER_DIR", "/tmp/" + os.environ.get("COVEY_TEST_CLUSTER", "covey-e2e"))
    socket = f"{state}/containerd.sock"
    return socket if os.path.exists(socket) else None


def sigkill(pod):
    """Ends the Pod's process as a crash would, with a signal that nothing can catch; on others' nodes, the Pod, without a grace period."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    if socket := runtime_socket():
        subprocess.run(["ctr", "-a", socket, "-n", "k8s.io", "tasks", "kill", "-s", "KILL", container], check=True, capture_output=True)
    else:
        kubectl("delete", "pod", name, "--force", "--grace-period=0", "--wait=false", namespace=namespace)
