"""The operator's Kubernetes client against the real API server, request by request."""
import os
import pathlib
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = TREE / "build/release/tests/operator/kube/kube_real_test"


def test_client_gets_on_with_a_real_api_server():
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster: tests/cluster/up starts one, and tests/cluster/in names it")
    if not PROGRAM.exists():
        pytest.skip("kube_real_test is not built: scripts/build release builds it")
    done = subprocess.run([PROGRAM], env={**os.environ, "COVEY_TEST_KUBECONFIG": os.environ["KUBECONFIG"]}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]
