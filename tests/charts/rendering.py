"""helm and kubectl on the chart and the manifests. The tests are skipped, and say so, where tests/cluster/build has not been run."""

import os
import pathlib
import shutil
import subprocess

import pytest
import yaml

TREE = pathlib.Path(__file__).resolve().parents[2]
CHART = TREE / "charts/covey"
BUILT = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "covey/cluster/bin"


def tool(name):
    found = BUILT / name if (BUILT / name).exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not here: tests/cluster/build makes it")
    return str(found)


def want_types():
    if not list((TREE / "manifests/crds").glob("*.yaml")):
        pytest.skip("manifests/crds has no types: this tree has no operator yet")


class Helm:
    def run(self, *arguments):
        return subprocess.run([tool("helm"), *arguments], capture_output=True, text=True)

    def template(self, *arguments):
        """The objects of the chart, by (kind, name)."""
        done = self.run("template", "demo", str(CHART), "--namespace", "here", *arguments)
        assert done.returncode == 0, done.stderr
        return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout) if each}

    def complaint(self, *arguments):
        """What the chart says to values that it refuses."""
        done = self.run("template", "demo", str(CHART), *arguments)
        assert done.returncode != 0
        return done.stderr


def kustomized():
    """What `kubectl apply -k manifests` would apply, by (kind, name)."""
    want_types()
    done = subprocess.run([tool("kubectl"), "kustomize", str(TREE / "manifests")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}
