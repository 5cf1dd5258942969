"""The image without the operator: NATS, controller and engines as plain Pods, in a namespace that admits restricted ones only."""
import json

import pytest

from kube import apply, is_ready, kubectl, pods, runtime_socket, sigkill, wait_for
from parallel_cluster import CONTAINER_SECURITY, IMAGE, POD_SECURITY, Cluster, assert_nothing_lost, map_client, slow_map

TOKEN = "a-token-for-the-test"
NATS = """
listen: "0.0.0.0:4222"
max_payload: 1048576
authorization { users: [ {user: "covey", password: "in plain Pods"} ] }
"""
CONNECT = json.dumps({"nats": "nats://demo-nats:4222", "user": "covey", "password": "in plain Pods", "cluster": "default",
                      "ca_file": "", "server_name": "", "controller": ""})


def pod(namespace, name, component, *command):
    labels = {"covey.dev/cluster": "demo", "app.kubernetes.io/component": component}
    container = {"name": component, "image": IMAGE, "command": list(command), "securityContext": CONTAINER_SECURITY,
                 "volumeMounts": [{"name": "files", "mountPath": "/etc/covey", "readOnly": True}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"automountServiceAccountToken": False, "enableServiceLinks": False, "securityContext": POD_SECURITY, "containers": [container],
                     "volumes": [{"name": "files", "secret": {"secretName": "demo-client", "defaultMode": 0o440}}]}}


def service(namespace, component, port):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"demo-{component}", "namespace": namespace},
            "spec": {"selector": {"app.kubernetes.io/component": component}, "ports": [{"port": port}]}}


def secret(namespace, name, **files):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": files}


def start_by_hand(namespace):
    connect = ("--connect", "/etc/covey/client.json", "--insecure")
    apply(secret(namespace, "demo-client", **{"client.json": CONNECT, "nats.conf": NATS, "tokens": f"{TOKEN} read,submit,admin test\n"}),
          service(namespace, "nats", 4222), service(namespace, "controller", 8080),
          pod(namespace, "nats", "nats", "/usr/bin/nats-server", "-c", "/etc/covey/nats.conf"))
    wait_for("the NATS server", lambda: all(map(is_ready, pods(namespace))))
    apply(pod(namespace, "controller", "controller", "/usr/bin/covey", "controller", *connect, "--http", "0.0.0.0:8080", "--http-tokens", "/etc/covey/tokens"),
          *[pod(namespace, f"engine-{n}", "engine", "/usr/bin/covey", "engine", *connect) for n in range(3)])
    cluster = Cluster(namespace, token=TOKEN)
    wait_for("three engines", lambda: cluster.call("/v1/demand")["engines"] == 3)
    return cluster


def test_image_runs_every_part_and_survives_their_deaths(bare_namespace):
    cluster = start_by_hand(bare_namespace)
    assert cluster.call("/v1/tasks?wait=30s", {"function": "sum", "args": [1, 2, 3]})["value"] == 6
    assert_nothing_lost(map_client(cluster, "echo", range(500)).finish(), 500)
    if not runtime_socket():
        pytest.skip("the rest ends processes inside Pods that nobody makes again, which takes a node of our own")
    work = slow_map(cluster, 150, 0.1, name="during-deaths")
    work.wait_results(20)
    for component in ("engine", "controller", "nats"):
        sigkill(cluster.pods(component)[0])
    assert_nothing_lost(work.finish(), 150)


def test_image_has_no_shell_and_runs_as_nobody_in_particular(bare_namespace):
    start_by_hand(bare_namespace)
    user = "cannot say"
    for path in ("/bin/sh", "/bin/bash", "/usr/bin/env"):
        try:
            user = kubectl("exec", "engine-0", "--", path, namespace=bare_namespace)
        except Exception as error:
            assert "no such file" in str(error), error
    assert user == "cannot say"
