"""manifests/: what `kubectl apply -k manifests` would make, and the samples."""
import json

import yaml

from rendering import TREE
from test_chart import assert_restricted


def test_apply_k_brings_the_type_the_operator_and_its_roles(manifests):
    wanted = [("CustomResourceDefinition", "parallelclusters.covey.dev"), ("CustomResourceDefinition", "paralleljobs.covey.dev"), ("Namespace", "covey-system"), ("Deployment", "covey-operator"),
              ("ServiceAccount", "covey-operator"), ("ClusterRole", "covey-operator"), ("ClusterRoleBinding", "covey-operator"), ("Role", "covey-operator-leader")]
    assert set(wanted) <= set(manifests)


def test_no_role_has_a_wildcard(manifests):
    for (kind, name), each in manifests.items():
        if kind in ("Role", "ClusterRole"):
            assert "*" not in json.dumps(each["rules"]), name


def test_two_operators_run_restricted(manifests):
    deployment = manifests[("Deployment", "covey-operator")]["spec"]
    assert deployment["replicas"] == 2
    assert_restricted(deployment["template"]["spec"])
    container = deployment["template"]["spec"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez" and container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_type_is_small_enough_for_client_side_apply():
    for file in (TREE / "manifests/crds").glob("*.yaml"):
        assert file.stat().st_size < 200_000


def test_samples_name_only_fields_that_the_type_has(manifests):
    schemas = {}
    for (kind, _), each in manifests.items():
        if kind == "CustomResourceDefinition":
            schemas[each["spec"]["names"]["kind"]] = each["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def unknown(schema, value, path):
        if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields") or "properties" not in schema:
            return []
        return [f"{path}.{key}" for key in value if key not in schema["properties"]] + [
            inner for key in value if key in schema["properties"] for inner in unknown(schema["properties"][key], value[key], f"{path}.{key}")]

    for file in (TREE / "manifests/samples").glob("*.yaml"):
        for each in yaml.safe_load_all(file.read_text()):
            if each["kind"] in schemas:
                assert unknown(schemas[each["kind"]], each["spec"], file.name) == []
