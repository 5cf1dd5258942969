"""Engines come and go while work is under way, and none that is busy is taken away."""
from kube import wait_for
from parallel_cluster import Cluster, assert_nothing_lost, slow_map


def assert_no_engine_was_lost(cluster):
    """Engines that drain say goodbye; one that is killed falls silent and is counted."""
    assert cluster.metric("covey_engines_lost_total") == 0


def test_scale_up_and_down_during_a_map_loses_nothing(namespace):
    cluster = Cluster(namespace, engine={"replicas": 4}).apply().wait_ready()
    # Seconds of work for each engine, so that all are busy when the scale changes.
    work = slow_map(cluster, 600, 0.2)
    work.wait_results(10)
    cluster.scale(31)
    wait_for("31 engines", lambda: len(cluster.engines()) == 31)
    done = len(work.results())
    cluster.scale(4)
    cluster.wait_engines(4)
    assert_nothing_lost(work.finish(), 600)
    assert done < 600, "the map was over before the engines went"
    assert_no_engine_was_lost(cluster)
    assert cluster.read()["spec"]["engine"]["replicas"] == 4


def test_internal_autoscaling_comes_from_zero_and_goes_back(namespace):
    cluster = Cluster(namespace, engine={"replicas": 0},
                      autoscaling={"mode": "Internal", "minReplicas": 0, "maxReplicas": 5, "targetBacklogPerEngine": 4,
                                   "scaleDown": {"idleTimeoutSeconds": 3, "stabilizationSeconds": 3}}).apply()
    wait_for("a controller", lambda: cluster.condition("ControllerReady")["status"] == "True")
    assert cluster.pods("engine") == []
    work = slow_map(cluster, 200, 0.2)
    wait_for("5 engines", lambda: len(cluster.engines()) == 5)
    assert_nothing_lost(work.finish(), 200)
    cluster.wait_engines(0)
    assert cluster.read()["spec"]["engine"]["replicas"] == 0
    assert_no_engine_was_lost(cluster)

