"""A changed template reaches every engine, and no task notices."""
from kube import wait_for
from parallel_cluster import IMAGE, NEXT_IMAGE, Cluster, assert_nothing_lost, slow_map


def images(cluster):
    return sorted({pod["spec"]["containers"][0]["image"] for pod in cluster.pods("engine")})


def test_new_image_rolls_by_draining(namespace):
    cluster = Cluster(namespace, engine={"replicas": 4}).apply().wait_ready()
    assert images(cluster) == [IMAGE]
    work = slow_map(cluster, 400, 0.1)
    work.wait_results(20)
    cluster.change(engine={"image": NEXT_IMAGE})
    wait_for("all engines run the new image", lambda: images(cluster) == [NEXT_IMAGE] and len(cluster.engines()) == 4)
    assert_nothing_lost(work.finish(), 400)
    assert cluster.metric("covey_engines_lost_total") == 0
