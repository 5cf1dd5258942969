"""A stranger who has read only openapi.json: schemathesis asks a running controller what the document allows, and what it forbids.

Streams of events never end, so that /v1/events is left out; tests/integration has them. Benchmarks are ended after a second, so that they
do not keep the cluster busy.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
COVEY = pathlib.Path(os.environ.get("COVEY_EXECUTABLE", TREE / "build/release/covey"))


@pytest.fixture
def controller(tmp_path):
    """The URL and the token of a cluster of two engines, which goes with the test."""
    if not COVEY.exists():
        pytest.skip(f"{COVEY} is not built: scripts/build release makes it")
    environment = {**os.environ, "COVEY_HOME": str(tmp_path / "home")}
    up = subprocess.run([COVEY, "up", "-n", "2", "--detach", "--json", "--controller-arg=--http-benchmark-time=1"], env=environment, capture_output=True, text=True, timeout=120)
    assert up.returncode == 0, up.stderr
    told = json.loads(up.stdout)
    yield told["http"].rstrip("/"), told["token"]
    subprocess.run([COVEY, "down"], env=environment, timeout=120, check=True)


def test_the_api_is_what_its_document_says(controller, tmp_path):
    url, token = controller
    command = [pathlib.Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {token}",
               "--exclude-path", "/v1/events", "--phases", "examples,coverage,fuzzing", "--max-examples", "40", "--seed", "20261",
               "--request-timeout", "30", "--no-color"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(pathlib.Path(__file__).parent)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
