"""Parts are killed with SIGKILL in the middle of a map, and every input has its one result all the same."""
import json
import time

import pytest

from kube import SYSTEM, KubectlError, get, is_ready, kubectl, pods, sigkill, wait_for
from parallel_cluster import Cluster, assert_nothing_lost, slow_map

TASKS = 300


@pytest.fixture
def busy(namespace):
    """A cluster with a map under way: 300 tasks of 100 ms on 3 engines, about ten seconds of work."""
    cluster = Cluster(namespace, engine={"replicas": 3}).apply().wait_ready()
    work = slow_map(cluster, TASKS, 0.1)
    work.wait_results(20)
    yield cluster, work
    assert_nothing_lost(work.finish(), TASKS)


def first(cluster, component):
    return next(pod for pod in cluster.pods(component) if is_ready(pod))


def restarted_or_replaced(cluster, component, old):
    """Whether the Pod's work goes on: in a new container, or in a new Pod."""
    container = old["status"]["containerStatuses"][0]["containerID"]
    return any(is_ready(pod) and pod["status"]["containerStatuses"][0]["containerID"] != container for pod in cluster.pods(component))


def test_engine_is_killed(busy):
    cluster, _ = busy
    victim = first(cluster, "engine")
    sigkill(victim)
    wait_for("another engine", lambda: len(cluster.engines()) == 3
             and victim["status"]["containerStatuses"][0]["containerID"] not in [pod["status"]["containerStatuses"][0]["containerID"] for pod in cluster.engines()])


def test_a_task_says_how_its_engine_ended(namespace):
    cluster = Cluster(namespace, engine={"replicas": 1}).apply().wait_ready()
    task = "/v1/tasks/" + cluster.call("/v1/tasks", {"function": "sleep", "args": [600]})["id"]
    wait_for("the task to run", lambda: cluster.call(task)["state"] == "assigned")
    victim = first(cluster, "engine")
    sigkill(victim)
    setbacks = wait_for("the task's setback", lambda: cluster.call(task).get("setbacks"))
    assert setbacks[0]["name"] == victim["metadata"]["name"]
    assert "exit status 137" in wait_for("how it ended", lambda: cluster.call(task)["setbacks"][0].get("why"))


def evict(pod, grace=None):
    """As whoever empties a node does; False while the budget of disruptions does not allow it."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    if grace is not None:
        eviction["deleteOptions"] = {"gracePeriodSeconds": grace}
    try:
        kubectl("create", "--raw", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", "-f", "-", stdin=json.dumps(eviction))
    except KubectlError as error:
        assert "disruption budget" in str(error), error
        return False
    return True


def test_a_task_says_that_its_engine_was_evicted(namespace):
    cluster = Cluster(namespace, engine={"replicas": 1}).apply().wait_ready()
    task = "/v1/tasks/" + cluster.call("/v1/tasks", {"function": "sleep", "args": [600]})["id"]
    wait_for("the task to run", lambda: cluster.call(task)["state"] == "assigned")
    wait_for("the budget admits it", lambda: evict(first(cluster, "engine"), grace=1))
    why = wait_for("how its engine ended", lambda: cluster.call(task).get("setbacks", [{}])[0].get("why"))
    assert "EvictionByEvictionAPI" in why


def test_a_node_is_emptied_though_demand_says_how_many_engines_there_are(namespace):
    cluster = Cluster(namespace, engine={"replicas": 0}, autoscaling={"mode": "Internal", "minReplicas": 2, "maxReplicas": 2}).apply()
    cluster.wait_engines(2)
    victim = first(cluster, "engine")
    wait_for("the budget admits it", lambda: evict(victim))
    wait_for("another engine", lambda: len(cluster.engines()) == 2 and victim["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in cluster.pods("engine")})


def test_engines_are_evicted_one_after_another(busy):
    cluster, _ = busy
    before = cluster.engines()
    for victim in before:
        wait_for(f"the budget admits {victim['metadata']['name']}", lambda: evict(victim))
    old = {pod["metadata"]["uid"] for pod in before}
    wait_for("three other engines", lambda: len(cluster.engines()) == 3 and not old & {pod["metadata"]["uid"] for pod in cluster.pods("engine")})
    assert cluster.metric("covey_engines_lost_total") == 0  # each drained


def test_controller_is_killed(busy):
    cluster, _ = busy
    victim = first(cluster, "controller")
    sigkill(victim)
    wait_for("another controller", lambda: restarted_or_replaced(cluster, "controller", victim))
    cluster.wait_ready()


def test_nats_is_killed(busy):
    cluster, _ = busy
    victim = first(cluster, "nats")
    sigkill(victim)
    wait_for("another NATS server", lambda: restarted_or_replaced(cluster, "nats", victim))
    cluster.wait_ready()


def lease():
    """The operators' election: who holds it, and how often it went to somebody else."""
    spec = next(each for each in get("leases", namespace=SYSTEM)["items"])["spec"]
    return spec["holderIdentity"], spec.get("leaseTransitions", 0)


def leader():
    holder = lease()[0]
    return next(pod for pod in pods(SYSTEM, "app.kubernetes.io/component=operator") if pod["metadata"]["name"] in holder)


def test_operator_that_leads_is_killed(busy):
    cluster, _ = busy
    victim, (_, transitions) = leader(), lease()
    began = time.monotonic()
    sigkill(victim)
    cluster.scale(5)  # while nobody leads
    wait_for("the new leader makes the engines", lambda: len(cluster.engines()) == 5, seconds=60)
    assert lease()[1] > transitions
    # The lease lasts 10 s, and the aim is 15 s; the machine may be slow, and Pods take a moment.
    assert time.monotonic() - began < 60
