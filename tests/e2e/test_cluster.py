"""A ParallelCluster's life: made, used, misspelt, suspended, deleted."""
import pytest

from kube import KubectlError, find, get, kubectl, wait_for
from parallel_cluster import Client, Cluster, assert_nothing_lost, leftovers, map_client


def test_apply_gives_a_cluster_that_runs_tasks(namespace):
    cluster = Cluster(namespace).apply().wait_ready()
    status = cluster.read()["status"]
    assert (status["replicas"], status["engines"]["ready"]) == (2, 2)
    assert "covey.dev/cluster=demo" in status["selector"]
    assert cluster.call("/v1/tasks?wait=30s", {"function": "sum", "args": [1, 2, 3]})["value"] == 6
    assert_nothing_lost(map_client(cluster, "echo", range(500)).finish(), 500)


def test_latency_experiment_runs_beside_the_cluster(namespace):
    cluster = Cluster(namespace, engine={"replicas": 4}).apply().wait_ready()
    run = Client(cluster, "bench", "latency", "--n", "1,1024", "--scheme", "controller", "--insecure")
    run.finish()
    assert "engines=4 n=1024" in run.output()


def test_table_says_what_people_ask_first(namespace):
    Cluster(namespace).apply().wait_ready()
    head, row = kubectl("get", "pcl", "demo", namespace=namespace).splitlines()
    assert head.split()[:4] == ["NAME", "DESIRED", "READY", "BUSY"]
    assert row.split()[:3] == ["demo", "2", "2"]
    assert "engine" in kubectl("explain", "parallelcluster.spec.engine").lower()


def test_whatever_disappears_is_made_again(namespace):
    cluster = Cluster(namespace).apply().wait_ready()
    before = {pod["metadata"]["uid"] for pod in cluster.pods("engine")}
    for kind in ("service", "deployment", "statefulset"):
        kubectl("delete", kind, "--selector=covey.dev/cluster=demo", "--wait=false", namespace=namespace)
    kubectl("delete", "pod", "--selector=covey.dev/cluster=demo,app.kubernetes.io/component=engine", "--wait=false", namespace=namespace)
    wait_for("other engines", lambda: len(cluster.engines()) == 2 and not before & {pod["metadata"]["uid"] for pod in cluster.engines()})
    cluster.wait_ready()
    assert_nothing_lost(map_client(cluster, "echo", range(100)).finish(), 100)


@pytest.mark.parametrize("spec, word", [
    ({"autoscaling": {"mode": "Internal", "minReplicas": 5, "maxReplicas": 2}}, "minReplicas"),
    ({"nats": {"managed": {"replicas": 1}, "external": {"url": "nats://n:4222"}}}, "external"),
    ({"engine": {"replicas": -1}}, "replicas"),
], ids=["min-over-max", "two-kinds-of-nats", "negative-replicas"])
def test_wrong_spec_is_refused_by_name(namespace, spec, word):
    with pytest.raises(KubectlError, match=word):
        Cluster(namespace, **spec).apply()
    assert find("pcl", "demo", namespace=namespace) is None


def test_missing_secret_is_a_condition_that_names_it(namespace):
    cluster = Cluster(namespace, nats={"external": {"url": "nats://nats:4222", "credentialsSecret": "not-there"}}).apply()
    condition = wait_for("a condition that says why", lambda: (c := cluster.condition("Ready"))["status"] == "False" and c)
    said = " ".join(each["message"] for each in cluster.read()["status"]["conditions"])
    assert "not-there" in said, condition


def test_image_that_is_not_there_is_told_apart(namespace):
    cluster = Cluster(namespace, engine={"image": "localhost/no-such-image:1"}).apply()

    def said():
        return " ".join(each["message"] for each in cluster.read()["status"]["conditions"])
    wait_for("a condition names the image or its trouble", lambda: any(word in said() for word in ("ImagePull", "ErrImage", "no-such-image")))


def test_suspend_goes_to_zero_and_back(namespace):
    cluster = Cluster(namespace).apply().wait_ready()
    cluster.change(suspend=True)
    wait_for("no engine", lambda: not cluster.pods("engine"))
    assert wait_for("Suspended", lambda: cluster.condition("Suspended")["status"] == "True")
    cluster.change(suspend=False)
    cluster.wait_engines(2)
    assert cluster.wait_ready().call("/v1/tasks?wait=30s", {"function": "sum", "args": [4]})["value"] == 4


def test_delete_leaves_nothing(namespace):
    cluster = Cluster(namespace).apply().wait_ready()
    assert leftovers(namespace, "demo")
    cluster.delete()
    wait_for("the resource is gone", lambda: find("pcl", "demo", namespace=namespace) is None)
    wait_for("nothing is left of it", lambda: leftovers(namespace, "demo") == [])
    assert get("secrets", namespace=namespace)["items"] == []
