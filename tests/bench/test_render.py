"""The report as a reader meets it: files that are there, figures that are right, and errors that name what was wrong."""

import json
import pathlib
import subprocess
import sys

import pytest

import sample

RENDER = pathlib.Path(__file__).resolve().parents[2] / "bench" / "report" / "render.py"


def render(document, folder):
    source = folder / "in.json"
    source.write_text(document if isinstance(document, str) else json.dumps(document))
    ended = subprocess.run([sys.executable, RENDER, source, folder / "report"], capture_output=True, text=True, check=False)
    return ended, folder / "report"


def png_size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_every_experiment_gets_its_plots_and_the_page_shows_them(tmp_path):
    ended, report = render(sample.document(), tmp_path)
    assert ended.returncode == 0, ended.stderr
    page = (report / "index.html").read_text()
    for name in ("latency", "latency2", "throughput1", "throughput2", "map"):
        width, height = png_size(report / f"{name}.png")
        assert width >= 800 and height >= 400
        assert f"{name}.png" in page


def test_the_page_asks_nothing_of_other_hosts(tmp_path):
    _, report = render(sample.document(), tmp_path)
    page = (report / "index.html").read_text()
    assert "src=\"http" not in page and "@import" not in page and "<script src" not in page


def test_a_bare_list_with_one_experiment_is_enough(tmp_path):
    rows = [{"experiment": "map", "system": "covey", "scheme": "controller", "transport": "plain", "engines": 4, "n": 100, "dt": dt,
             "sent_s": 0.001, "roundtrip_s": 1.25, "wall_s": 1.25, "ideal_s": 1.0, "efficiency": 0.8, "overhead_us_per_task": 25}
            for dt in (0.001, 0.004)]
    ended, report = render(rows, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (report / "map.png").exists()
    assert not (report / "latency.png").exists()
    assert "0.8" in (report / "index.html").read_text() or "80" in (report / "index.html").read_text()


@pytest.mark.parametrize("document", ["{", "17", json.dumps({"rows": 3}), json.dumps([17])])
def test_bad_input_is_an_error_that_names_the_file(tmp_path, document):
    ended, _ = render(document, tmp_path)
    assert ended.returncode == 2
    assert "in.json" in ended.stderr
