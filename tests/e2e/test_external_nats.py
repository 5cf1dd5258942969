"""Engines and controller on a NATS server that somebody else runs."""
from kube import apply, get, is_ready, wait_for
from parallel_cluster import CONTAINER_SECURITY, IMAGE, POD_SECURITY, Cluster, assert_nothing_lost, map_client

CONFIG = """
max_payload: 1048576
authorization { users: [ {user: "covey", password: "over the sea"} ] }
"""


def start_nats(namespace):
    labels = {"app": "messaging"}
    apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nats", "namespace": namespace}, "data": {"nats.conf": CONFIG}},
          {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "messaging", "namespace": namespace}, "spec": {"selector": labels, "ports": [{"port": 4222}]}},
          {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nats-credentials", "namespace": namespace}, "stringData": {"user": "covey", "password": "over the sea"}},
          {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "messaging", "namespace": namespace, "labels": labels},
           "spec": {"automountServiceAccountToken": False, "enableServiceLinks": False,
                    "securityContext": POD_SECURITY,
                    "containers": [{"name": "nats", "image": IMAGE, "command": ["/usr/bin/nats-server"], "args": ["-c", "/etc/nats/nats.conf"],
                                    "readinessProbe": {"tcpSocket": {"port": 4222}, "periodSeconds": 1},
                                    "volumeMounts": [{"name": "config", "mountPath": "/etc/nats"}],
                                    "securityContext": CONTAINER_SECURITY}],
                    "volumes": [{"name": "config", "configMap": {"name": "nats"}}]}})
    wait_for("the NATS server", lambda: is_ready(get("pod", "messaging", namespace=namespace)))


def test_cluster_runs_on_an_external_server(namespace):
    start_nats(namespace)
    cluster = Cluster(namespace, nats={"external": {"url": f"nats://messaging.{namespace}.svc:4222", "credentialsSecret": "nats-credentials"}}).apply().wait_ready()
    assert cluster.pods("nats") == []
    assert_nothing_lost(map_client(cluster, "echo", range(200)).finish(), 200)
