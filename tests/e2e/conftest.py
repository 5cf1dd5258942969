"""A cluster with the operator in it, and a namespace for each test. `tests/cluster/in scripts/python -m pytest tests/e2e` runs them."""
import os
import pathlib
import subprocess
import time

import pytest

from kube import SYSTEM, find, kubectl
from parallel_cluster import IMAGE

TREE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def operator():
    """The operator as `kubectl apply -k manifests` installs it, for all tests. A cluster that is somebody's is left as it was found."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster: tests/cluster/up starts one, and tests/cluster/in names it")
    objects = kubectl("kustomize", str(TREE / "manifests")).replace("image: covey:dev", f"image: {IMAGE}")
    was_there = find("crd", "parallelclusters.covey.dev")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=objects)
    kubectl("rollout", "status", "deployment/covey-operator", "--timeout=120s", namespace=SYSTEM, timeout=150)
    yield SYSTEM
    if not was_there and not os.environ.get("COVEY_TEST_IN_NETWORK"):
        kubectl("delete", "--ignore-not-found", "-f", "-", stdin=objects, timeout=180)


@pytest.fixture
def bare_namespace(request):
    """A namespace that admits restricted Pods only, gone after the test with all that is in it."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-") + f"-{time.time_ns() % 100000}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def namespace(operator, bare_namespace):
    """The same, watched by the operator. Its jobs and clusters go before the namespace does, as a user's would."""
    yield bare_namespace
    kubectl("delete", "pjob,pcl", "--all", "--wait=false", namespace=bare_namespace)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Shows what Kubernetes knows of a test that failed, before its namespace goes."""
    report = (yield).get_result()
    namespace = getattr(item, "funcargs", {}).get("bare_namespace")
    if report.when == "call" and report.failed and namespace:
        report.sections.append(("in the namespace", describe(namespace)))


def describe(namespace):
    """What somebody would want to see of a test that failed."""
    commands = (["get", "pjob,pcl,pods,services,statefulsets,deployments", "-o", "wide"], ["get", "events", "--sort-by=.lastTimestamp"],
                ["get", "pjob,pcl", "-o", "yaml"])
    texts = [subprocess.run(["kubectl", "-n", namespace, *command], capture_output=True, text=True).stdout for command in commands]
    logs = subprocess.run(["kubectl", "-n", SYSTEM, "logs", "-l", "app.kubernetes.io/component=operator", "--tail=60", "--prefix"], capture_output=True, text=True)
    return "\n".join([*texts, logs.stdout])
