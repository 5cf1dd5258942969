"""A HorizontalPodAutoscaler that scales engines by their processors' load, as metrics-server reports it."""
import os
import pathlib
import subprocess

import pytest

from kube import apply, get, kubectl, wait_for
from parallel_cluster import Cluster, map_client

STATE = pathlib.Path(os.environ.get("CLUSTER_DIR", "/tmp/" + os.environ.get("COVEY_TEST_CLUSTER", "covey-e2e")))


@pytest.fixture(scope="module")
def metrics():
    """metrics-server: the cluster's own where it has one, or else a process beside our own node, behind a Service without Pods."""
    api = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
           "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": True,
                    "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443}}}
    if subprocess.run(["kubectl", "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"], capture_output=True).returncode == 0:
        yield
        return
    if not (STATE / "containerd.sock").exists():
        pytest.skip("this cluster has no metrics-server, and is not a node of our own that could be given one")
    apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics-server", "namespace": "kube-system"}, "spec": {"ports": [{"port": 443, "targetPort": 10270}]}},
          {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
           "metadata": {"name": "metrics-server", "namespace": "kube-system", "labels": {"kubernetes.io/service-name": "metrics-server"}},
           "ports": [{"port": 10270, "protocol": "TCP"}], "endpoints": [{"addresses": ["10.244.0.1"], "conditions": {"ready": True}}]},
          api)
    with open(STATE / "log/metrics-server.log", "w") as log:
        server = subprocess.Popen(["metrics-server", f"--kubeconfig={STATE}/admin.kubeconfig", f"--authentication-kubeconfig={STATE}/admin.kubeconfig",
                                   f"--authorization-kubeconfig={STATE}/admin.kubeconfig", "--secure-port=10270", f"--cert-dir={STATE}/pki/metrics",
                                   "--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP", "--metric-resolution=10s", "--kubelet-request-timeout=5s"], stdout=log, stderr=log)
    try:
        wait_for("metrics", lambda: kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"))
        yield
    finally:
        server.terminate()
        server.wait()
        kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")


def test_hpa_scales_engines_through_the_scale_subresource(metrics, namespace):
    cluster = Cluster(namespace, engine={"replicas": 1, "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"cpu": "300m", "memory": "128Mi"}}})
    cluster.apply().wait_ready()
    apply({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "demo", "namespace": namespace},
           "spec": {"scaleTargetRef": {"apiVersion": "covey.dev/v1alpha1", "kind": "ParallelCluster", "name": "demo"}, "minReplicas": 1, "maxReplicas": 3,
                    "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
                    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}}}})
    work = map_client(cluster, "spin", [1] * 40)
    wait_for("the autoscaler asks for more, and gets them", lambda: len(cluster.engines()) >= 2, seconds=150)
    assert get("pcl", "demo", namespace=namespace)["spec"]["engine"]["replicas"] >= 2
    work.finish()
