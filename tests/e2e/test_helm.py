"""The chart, installed as a team would that owns one namespace, which admits restricted Pods only."""
import json
import pathlib
import subprocess

import pytest

from kube import find, get, wait_for
from parallel_cluster import IMAGE, Cluster

CHART = str(pathlib.Path(__file__).resolve().parents[2] / "charts/covey")
REPOSITORY, TAG = IMAGE.rsplit(":", 1)


def helm(*arguments, namespace):
    done = subprocess.run(["helm", "--namespace", namespace, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def release(operator, bare_namespace):
    # The types are there already, from the manifests.
    values = ["--set", f"image.repository={REPOSITORY},image.tag={TAG},crds.create=false,scope=namespace,operator.resources.requests.cpu=10m"]
    helm("install", "team", CHART, *values, "--wait", "--timeout", "2m", namespace=bare_namespace)
    yield bare_namespace, values
    subprocess.run(["helm", "--namespace", bare_namespace, "uninstall", "team", "--ignore-not-found"], capture_output=True, timeout=120)


def test_install_upgrade_test_uninstall(release):
    namespace, values = release
    assert "kind: ParallelCluster" in helm("get", "notes", "team", namespace=namespace)
    helm("upgrade", "team", CHART, *values, "--set", "operator.replicas=1,cluster.create=true,cluster.name=ours", "--wait", namespace=namespace)
    assert get("deployment", "team-covey-operator", namespace=namespace)["spec"]["replicas"] == 1
    ours = Cluster(namespace, "ours")
    ours.wait_ready()
    # A second upgrade changes the cluster that the first one made.
    helm("upgrade", "team", CHART, *values, "--set", "operator.replicas=1,cluster.create=true,cluster.name=ours,cluster.spec.engine.replicas=3", namespace=namespace)
    ours.wait_engines(3)
    # The operator of all namespaces, which runs too, leaves this one to the team's.
    told = {each["reportingInstance"] for each in get("events", "--field-selector=involvedObject.kind=ParallelCluster", namespace=namespace)["items"]}
    assert told and all("team-covey-operator" in name for name in told), told
    tested = helm("test", "team", "--timeout", "3m", namespace=namespace)
    assert "Phase:          Succeeded" in tested
    helm("uninstall", "team", "--wait", namespace=namespace)
    assert find("deployment", "team-covey-operator", namespace=namespace) is None
    wait_for("the cluster is gone with its release", lambda: find("pcl", "ours", namespace=namespace) is None)
    assert json.loads(helm("list", "-o", "json", namespace=namespace)) == []
