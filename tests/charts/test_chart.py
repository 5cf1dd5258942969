"""The chart: what its values make of it, and what it refuses."""
import json
import re

import yaml

from rendering import CHART, TREE, want_types

TYPES_KNOWN = ["--api-versions", "covey.dev/v1alpha1/ParallelCluster"]


def of_kind(objects, kind):
    return [each for (each_kind, _), each in objects.items() if each_kind == kind]


def pod_specs(objects):
    return [each["spec"]["template"]["spec"] for each in of_kind(objects, "Deployment")] + [each["spec"] for each in of_kind(objects, "Pod")]


def assert_restricted(pod):
    """The rules of the pod security standard `restricted`, and a root file system that cannot be written."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert pod["enableServiceLinks"] is False


def test_lint_finds_nothing(helm):
    for values in ([], ["--values", str(CHART / "values-aws.yaml")]):
        done = helm.run("lint", "--strict", str(CHART), *values)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_pod_fits_into_a_restricted_namespace(helm):
    specs = pod_specs(helm.template())
    assert len(specs) == 2
    for spec in specs:
        assert_restricted(spec)


def test_chart_and_manifests_let_the_operator_do_the_same(helm, manifests):
    ours = helm.template()[("ClusterRole", "demo-covey-operator")]["rules"]
    assert ours == manifests[("ClusterRole", "covey-operator")]["rules"]
    assert "*" not in json.dumps(ours)


def test_scope_namespace_needs_nothing_cluster_wide(helm):
    objects = helm.template("--set", "scope=namespace", "--set", "crds.create=false")
    assert not of_kind(objects, "ClusterRole") and not of_kind(objects, "ClusterRoleBinding")
    operator = objects[("Deployment", "demo-covey-operator")]["spec"]["template"]["spec"]["containers"][0]
    assert "--namespace=here" in operator["args"]


def test_types_are_kept_by_an_uninstall_unless_told_otherwise(helm):
    want_types()
    kept = of_kind(helm.template(), "CustomResourceDefinition")
    assert [each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in kept] == ["keep"] * len(kept)
    assert {each["metadata"]["name"] for each in kept} == {"parallelclusters.covey.dev", "paralleljobs.covey.dev"}
    going = of_kind(helm.template("--set", "crds.keep=false"), "CustomResourceDefinition")
    assert all("helm.sh/resource-policy" not in each["metadata"].get("annotations", {}) for each in going)
    assert not of_kind(helm.template("--set", "crds.create=false"), "CustomResourceDefinition")


def test_service_monitor_only_where_its_type_is_known(helm):
    assert not of_kind(helm.template(), "ServiceMonitor")
    assert len(of_kind(helm.template("--api-versions", "monitoring.coreos.com/v1"), "ServiceMonitor")) == 1


def test_network_policy_lets_the_operator_ask_for_names(helm):
    policy = helm.template()[("NetworkPolicy", "demo-covey-operator")]["spec"]
    assert {"port": 53, "protocol": "UDP"} in policy["egress"][0]["ports"]
    assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "operator"


def test_service_account_carries_the_role_of_the_cloud(helm):
    role = "arn:aws:iam::111122223333:role/covey"
    account = helm.template("--set", f"serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn={role}")[("ServiceAccount", "demo-covey-operator")]
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": role}


def test_misspelt_value_is_refused_by_name(helm):
    assert "replica" in helm.complaint("--set", "operator.replica=3")
    assert "scope" in helm.complaint("--set", "scope=everything")


def test_cluster_before_its_type_is_refused_and_says_what_to_do(helm):
    assert "Install without cluster.create" in helm.complaint("--set", "cluster.create=true")


def test_cluster_wants_either_managed_or_external_nats(helm):
    external = ["--set", "cluster.create=true,cluster.spec.nats.external.url=nats://n:4222,cluster.spec.nats.external.credentialsSecret=s", *TYPES_KNOWN]
    assert "exclude each other" in helm.complaint(*external)
    neither = ["--set", "cluster.create=true,cluster.spec.nats.managed=null", *TYPES_KNOWN]
    assert "one of managed" in helm.complaint(*neither)
    cluster = helm.template("--set", "cluster.spec.nats.managed=null", *external)[("ParallelCluster", "demo")]
    assert cluster["spec"]["nats"] == {"external": {"url": "nats://n:4222", "credentialsSecret": "s"}}


def test_cluster_runs_the_charts_image_unless_it_names_one(helm):
    made = helm.template("--set", "cluster.create=true,image.tag=next", *TYPES_KNOWN)[("ParallelCluster", "demo")]
    assert made["spec"]["engine"]["image"] == "covey:next"
    made = helm.template("--set", "cluster.create=true,cluster.spec.engine.image=mine:1", *TYPES_KNOWN)[("ParallelCluster", "demo")]
    assert made["spec"]["engine"]["image"] == "mine:1"


def test_notes_paste_a_resource_that_the_sample_has_too(helm):
    notes = (CHART / "templates/NOTES.txt").read_text()
    assert "kind: ParallelCluster" in notes and "apiVersion: covey.dev/v1alpha1" in notes


def test_every_value_is_in_the_schema_and_the_other_way_round():
    def names(schema):
        return {key: names(value) if value.get("additionalProperties") is False else None for key, value in schema.get("properties", {}).items()}

    def compare(schema, values, path):
        assert set(schema) - {"global"} == set(values), path
        for key, inner in schema.items():
            if inner is not None:
                compare(inner, values[key], f"{path}.{key}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    compare(names(schema), yaml.safe_load((CHART / "values.yaml").read_text()), "values")


def test_dashboard_shows_metrics_that_exist(helm):
    board = helm.template("--set", "metrics.dashboard.create=true")[("ConfigMap", "demo-covey-dashboard")]["data"]["covey.json"]
    asked = set(re.findall(r"covey_[a-z_]+", json.dumps([panel["targets"] for panel in json.loads(board)["panels"]])))
    sources = "".join(file.read_text() for folder in ("controller/http", "operator") for file in (TREE / folder).rglob("*.cpp"))
    assert asked and {name for name in asked if name.removesuffix("_bucket") not in sources} == set()
