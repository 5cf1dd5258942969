"""The bench of the HTTP API: which floors were missed, and answers that are errors."""

import pathlib
import signal
import socketserver
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "http"

GOOD = {
    "post_per_s": 10_000, "post_errors": 0, "map_s": 19.9, "map_inputs": 1_000_000, "map_ok": 1_000_000, "controller_mb": 399, "streams": 1_000,
    "streams_silent": 0, "load_per_s": 95, "load_errors": 0, "efficiency_alone": 0.9, "efficiency_loaded": 0.9,
}


def floors(folder, figures):
    file = folder / "figures"
    file.write_text("".join(f"figure {name} {value}\n" for name, value in figures.items()) + "another line\n")
    return subprocess.run([sys.executable, BENCH / "floors.py", file], capture_output=True, text=True, check=False)


def test_floors_that_are_met_are_told_and_make_no_failure(tmp_path):
    ended = floors(tmp_path, GOOD)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "met: POST /v1/tasks?wait a second: 10000, at least 10000 wanted" in ended.stdout


@pytest.mark.parametrize("figure, value, said", [
    ("post_per_s", 9_999, "POST /v1/tasks?wait a second: 9999, at least 10000 wanted"),
    ("post_errors", 1, "with an error: 1, at most 0 wanted"),
    ("map_s", 20, "seconds for a million inputs and their results: 20, below 20 wanted"),
    ("map_ok", 999_999, "results of the map that are ok: 999999"),
    ("controller_mb", 400, "memory in MB: 400, below 400 wanted"),
    ("streams_silent", 1, "event streams that were refused or got nothing: 1"),
    ("efficiency_loaded", 0.88, "efficiency beside these: 0.88, at least 0.89 wanted"),
])
def test_a_floor_that_is_missed_is_named(tmp_path, figure, value, said):
    ended = floors(tmp_path, {**GOOD, figure: value})
    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stderr.count("MISSED") == 1


def test_what_was_not_measured_is_missed(tmp_path):
    figures = {name: value for name, value in GOOD.items() if name not in ("map_s", "efficiency_alone")}
    ended = floors(tmp_path, figures)
    assert ended.returncode == 1
    assert "not measured (map_s is missing)" in ended.stderr
    assert "not measured (efficiency_alone is missing)" in ended.stderr


class Refusing(BaseHTTPRequestHandler):
    """Every second answer is an error."""

    protocol_version = "HTTP/1.1"
    asked = 0
    enough = threading.Event()

    def do_GET(self):
        Refusing.asked += 1
        self.send_response(200 if Refusing.asked % 2 else 503)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        if Refusing.asked >= 10:
            Refusing.enough.set()

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing_url():
    Refusing.asked = 0
    Refusing.enough.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def figures_of(text):
    return {line.split()[1]: float(line.split()[2]) for line in text.splitlines() if line.startswith("figure ")}


def test_answers_with_an_error_status_are_errors(refusing_url):
    with subprocess.Popen([sys.executable, BENCH / "load.py", "requests", refusing_url, "token", "1000"], stdout=subprocess.PIPE, text=True) as load:
        assert Refusing.enough.wait(60)
        load.send_signal(signal.SIGTERM)
        said, _ = load.communicate(timeout=60)
    assert load.returncode == 0
    assert figures_of(said)["load_errors"] == Refusing.asked // 2


def test_streams_that_are_refused_are_silent(refusing_url):
    ended = subprocess.run([sys.executable, BENCH / "load.py", "streams", refusing_url, "token", "4", "0.2"], capture_output=True, text=True, check=False)
    assert figures_of(ended.stdout) == {"streams": 4, "streams_silent": 4}
