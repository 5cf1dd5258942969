"""ParallelJobs: the experiments with their reports, failures, deadlines, lost Pods, a lost operator, and what is left of them."""
import json
import os
import pathlib
import shutil

import pytest

from kube import KubectlError, SYSTEM, apply, find, get, kubectl, pods, runtime_socket, sigkill, wait_for
from parallel_cluster import Cluster
from parallel_job import Job, assert_each_once, sleeps


def everything(namespace):
    """Whatever a job, or a cluster that was made for one, could leave."""
    kinds = "pods,services,secrets,configmaps,serviceaccounts,statefulsets.apps,deployments.apps,networkpolicies.networking.k8s.io,poddisruptionbudgets.policy,pcl,pjob"
    own = ("kube-root-ca.crt", "default")  # of every namespace
    return [f"{each['kind']}/{each['metadata']['name']}" for each in get(kinds, namespace=namespace)["items"] if each["metadata"]["name"] not in own]


def leader():
    holder = next(each for each in get("leases", namespace=SYSTEM)["items"])["spec"]["holderIdentity"]
    return next(pod for pod in pods(SYSTEM, "app.kubernetes.io/component=operator") if pod["metadata"]["name"] in holder)


def test_latency_experiment_on_a_cluster_made_for_it(namespace):
    job = Job(namespace, [{"name": "latency", "benchmark": {"experiment": "latency", "n": [1, 16, 256], "quick": True, "limits": False}}]).apply()
    job.finish()
    assert "kubectl logs" in job.condition("Complete")["message"]
    assert {row["n"] for row in job.report() if row["experiment"] == "latency"} >= {1, 16, 256}
    wait_for("its cluster has gone", lambda: get("pcl", namespace=namespace)["items"] == [])
    wait_for("and all that was the cluster's", lambda: [pod["metadata"]["name"] for pod in pods(namespace)] == [job.status()["pod"]])
    job.delete()
    wait_for("nothing is left", lambda: everything(namespace) == [])


def test_map_experiment_on_a_cluster_that_is_there(namespace):
    cluster = Cluster(namespace).apply()
    job = Job(namespace, [{"name": "map", "benchmark": {"experiment": "map", "dt": ["4ms", "16ms"], "ideal": "300ms", "limits": False}},
                          {"name": "sums", "map": {"function": "sum", "inputs": {"lines": "numbers"}, "arguments": [1, "${index}"]}}],
              cluster="demo", files={"numbers": "one\ntwo\nthree\n"}).apply()
    job.finish()
    assert "map" in {row["experiment"] for row in job.report()}
    assert_each_once(job.records(), 3)
    assert sorted((record["input"], record["value"]) for record in job.records()) == [("one", 1), ("three", 3), ("two", 2)]
    job.delete()
    wait_for("its Pod and its files have gone", lambda: not job.pods() and not find("pjob", job.name, namespace=namespace)
             and [each for each in get("configmaps", namespace=namespace)["items"] if each["metadata"]["name"] != "kube-root-ca.crt"] == [])
    assert cluster.wait_ready(), "the cluster is not the job's"


def test_failing_job_is_tried_again_and_says_why(namespace):
    Cluster(namespace).apply()
    job = Job(namespace, [{"name": "no", "map": {"function": "no_such_function", "inputs": {"range": {"to": 3}}}}], cluster="demo", backoffLimit=1).apply()
    status = job.finish("Failed")
    failed = job.condition("Failed")
    assert failed["reason"] == "BackoffLimitExceeded" and "no_such_function" in failed["message"], failed
    assert (status["attempt"], status["failures"], len(job.pods())) == (2, 2, 2)


def test_wrong_job_is_not_tried_again_and_names_the_mistake(namespace):
    Cluster(namespace).apply()
    job = Job(namespace, [{"name": "sums", "mapp": {}}], cluster="demo").apply()
    assert job.finish("Failed")["attempt"] == 1
    failed = job.condition("Failed")
    assert failed["reason"] == "JobRefused" and "mapp" in failed["message"], failed


def test_spec_errors_are_named(namespace):
    def complaint(**spec):
        job = Job(namespace, [sleeps(1, 0)], **spec)
        with pytest.raises(KubectlError) as error:
            job.apply()
        return str(error.value)
    assert "clusterRef and spec.clusterTemplate" in complaint(clusterRef={"name": "demo"})
    assert "spec.backoffLimit" in complaint(backoffLimit=-1)
    assert "clusterTemplate.engine.replicas" in complaint(clusterTemplate={"engine": {"replicas": -1}})
    job = Job(namespace, [sleeps(1, 0)], cluster="not-there").apply()
    wait_for("it says what it waits for", lambda: "not-there" in job.condition("ClusterReady")["message"])
    with pytest.raises(KubectlError, match="spec.job cannot change"):
        kubectl("patch", "pjob", job.name, "--type=merge", "-p", json.dumps({"spec": {"job": "other"}}), namespace=namespace)


def test_deadline_ends_a_job_and_its_cluster(namespace):
    job = Job(namespace, [sleeps(1000, 1)], activeDeadlineSeconds=15).apply()
    job.finish("Failed")
    assert job.condition("Failed")["reason"] == "DeadlineExceeded"
    wait_for("its Pod and its cluster have gone", lambda: pods(namespace) == [] and get("pcl", namespace=namespace)["items"] == [])


def test_job_is_deleted_after_its_time_to_live(namespace):
    Job(namespace, [sleeps(2, 0.01)], ttlSecondsAfterFinished=1).apply()
    wait_for("it has come", lambda: find("pjob", "job", namespace=namespace))
    wait_for("it has gone again, with all that it had", lambda: everything(namespace) == [])


def test_deletion_in_the_middle_leaves_nothing(namespace):
    job = Job(namespace, [sleeps(1000, 0.5)]).apply()
    wait_for("it runs", lambda: job.status().get("phase") == "Running")
    job.delete()
    wait_for("nothing is left", lambda: everything(namespace) == [])


def test_job_runs_once_though_the_operator_is_killed_at_its_turns(namespace):
    job = Job(namespace, [sleeps(200, 0.2)]).apply()
    wait_for("its cluster is being made", lambda: get("pcl", namespace=namespace)["items"])
    sigkill(leader())
    wait_for("an attempt is written down, whether or not its Pod is made", lambda: job.status().get("attempt") == 1)
    sigkill(leader())
    job.finish()
    assert job.status()["attempt"] == 1 and len(job.pods()) == 1
    assert_each_once(job.records(), 200)


@pytest.fixture
def claim(namespace):
    """A PersistentVolumeClaim and the folder that it is. A node of our own has no provisioner, but a folder of this machine."""
    if not runtime_socket():
        pytest.skip("a volume that the test can look into takes a node of our own")
    folder = pathlib.Path(os.environ.get("CLUSTER_DIR", "/tmp/" + os.environ.get("COVEY_TEST_CLUSTER", "covey-e2e"))) / "volumes" / namespace
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    size = {"storage": "1Gi"}
    apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": namespace},
           "spec": {"capacity": size, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": str(folder)}, "storageClassName": "", "claimRef": {"name": "disk", "namespace": namespace}}},
          {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk", "namespace": namespace},
           "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": namespace, "resources": {"requests": size}}})
    yield folder
    kubectl("delete", "pv", namespace, "--wait=false")
    shutil.rmtree(folder, ignore_errors=True)


def test_replaced_pod_goes_on_where_the_last_one_was(namespace, claim):
    job = Job(namespace, [sleeps(100, 0.2, output="sleeps.ndjson")], results={"persistentVolumeClaim": {"claimName": "disk"}}, backoffLimit=0).apply()
    job.wait_progress(10)
    first = job.status()["pod"]
    kubectl("delete", "pod", first, "--wait=false", namespace=namespace)
    status = job.finish()
    assert (status["attempt"], status["failures"]) == (2, 0) and status["pod"] != first
    summary = [line.split() for line in job.log().splitlines() if line.startswith("sleeps ")][-1]
    assert int(summary[5]) >= 10, f"done by the first Pod: {summary}"
    records = [json.loads(line) for line in (claim / "job/sleeps.ndjson").read_text().splitlines()]
    assert_each_once(records, 100)
    assert "claim disk" in job.condition("Complete")["message"]
