"""The report as a reader meets it: files that are there, figures that are right, and errors that name what was wrong."""

import json
import pathlib
import re
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


def test_a_transport_is_held_against_its_own_limit(tmp_path):
    echo = {"experiment": "throughput", "system": "covey", "scheme": "controller", "engines": 4, "bytes": 1000000, "count": 100,
            "sent_s": 0.001, "roundtrip_s": 0.8}  # 1 Gbit/s
    one_way = {"experiment": "limit", "what": "one_way", "bytes": 1000000}
    rows = [{**echo, "transport": "plain"}, {**echo, "transport": "tls"},
            {**one_way, "transport": "plain", "bytes_per_s": 5e8}, {**one_way, "transport": "tls", "bytes_per_s": 2.5e8}]
    ended, report = render(rows, tmp_path)
    assert ended.returncode == 0, ended.stderr
    page = (report / "index.html").read_text()
    assert "25\u00a0%" in page and "50\u00a0%" in page


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


def cells(page, caption):
    """{row name: {column: cell}} of the table with that caption, as a reader would read it."""
    table = re.search(rf"<caption>{re.escape(caption)}.*?</table>", page, re.S).group()
    columns = re.findall(r'<th scope="col">(.*?)</th>', table)[1:]
    lines = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', table, re.S)
    return {name: dict(zip(columns, re.findall(r"<td>(.*?)</td>", rest))) for name, rest in lines}


def row(experiment, **fields):
    return {"experiment": experiment, "system": "covey", "scheme": "controller", "transport": "plain", "engines": 4, **fields}


def page_of(rows, folder):
    ended, report = render(rows, folder)
    assert ended.returncode == 0, ended.stderr
    return (report / "index.html").read_text()


def test_rates_follow_from_times_and_repeats_show_their_median(tmp_path):
    page = page_of([row("latency", n=100, sent_s=0.001, roundtrip_s=time) for time in (0.1, 0.2, 5.0)], tmp_path)
    assert cells(page, "Roundtrip, tasks per second")["Covey controller"] == {"n = 100": "500"}
    assert cells(page, "Sent, tasks per second")["Covey controller"] == {"n = 100": "100\u202f000"}


def test_sequential_is_divided_by_the_bare_round_trip(tmp_path):
    rows = [row("sequential", p50_us=460.0, p99_us=1500, mode="coroutine inline"),
            {"experiment": "limit", "system": "bare-nats", "what": "request_reply", "p50_us": 230, "p99_us": 400}]
    line = cells(page_of(rows, tmp_path), "One task after the other")["Covey controller, coroutine inline"]
    assert line["p50"] == "460\u00a0µs" and line["p99"] == "1.5\u00a0ms" and line["p99.9"] == "–"
    assert line["÷ bare NATS"] == "2.00\u00a0×"


def test_a_ratio_to_bare_nats_that_was_measured_in_turns_comes_first(tmp_path):
    rows = [row("sequential", p50_us=460.0, p99_us=1500, over_bare=2.5, bare_p50_us=184.0, mode="coroutine inline"),
            {"experiment": "limit", "system": "bare-nats", "what": "request_reply", "p50_us": 230, "p99_us": 400}]
    line = cells(page_of(rows, tmp_path), "One task after the other")["Covey controller, coroutine inline"]
    assert line["÷ bare NATS"] == "2.50\u00a0×"


def test_throughput_counts_one_way_and_is_compared_with_the_limit(tmp_path):
    document = {"limits": [{"what": "one_way", "system": "bare-nats", "bytes": 65536, "bytes_per_s": 1e9}],
                "rows": [row("throughput", bytes=4_000_000, count=50, sent_s=0.01, roundtrip_s=0.4)]}
    line = cells(page_of(document, tmp_path), "Gbit/s of payload, one way")["Covey controller"]
    assert line == {"4\u00a0MB": "4.00", "of the limit": "50\u00a0%"}


def test_push_is_a_line_of_its_own_in_the_plots_and_a_table_of_its_own(tmp_path):
    sizes = {"count": 100, "sent_s": 0.01, "roundtrip_s": 0.8}
    echo = [row("throughput", bytes=size, **sizes) for size in (1_000_000, 4_000_000)]
    pushes = [row("push", bytes=size, **{**sizes, "roundtrip_s": 0.4}) for size in (1_000_000, 4_000_000)]
    page = page_of([*echo, *pushes], tmp_path)
    after = page[page.rindex("Push to one engine"):]
    assert cells(after, "Gbit/s of payload, one way")["Covey controller"] == {"1\u00a0MB": "2.00", "4\u00a0MB": "8.00"}
    with_push = (tmp_path / "report" / "throughput2.png").read_bytes()
    page_of(echo, tmp_path)
    assert (tmp_path / "report" / "throughput2.png").read_bytes() != with_push


def test_map_derives_efficiency_and_overhead(tmp_path):
    page = page_of([row("map", dt=0.004, n=2000, roundtrip_s=2.5)], tmp_path)
    assert cells(page, "Efficiency, by dt")["Covey controller"] == {"4 ms": "80\u00a0%"}
    assert cells(page, "Overhead per task, by dt")["Covey controller"] == {"4 ms": "250\u00a0µs"}


def test_names_in_the_input_cannot_become_markup(tmp_path):
    page = page_of([row("latency", n=1, roundtrip_s=1, mode="<script>alert(1)</script>")], tmp_path)
    assert "<script" not in page


def test_unknown_fields_are_ignored_and_plots_exist_for_light_and_dark(tmp_path):
    ended, report = render([row("map", dt=0.001, n=10, roundtrip_s=1, colour={"not": "ours"})], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert png_size(report / "map.png") == png_size(report / "map-dark.png") == (1590, 810)


@pytest.mark.parametrize(("bad", "named"), [
    ({"experiment": "latencies"}, "experiment"),
    ({"n": None}, "'n'"),
    ({"n": "many"}, "'n'"),
    ({"n": 0}, "'n'"),
    ({"n": True}, "'n'"),
    ({"roundtrip_s": -1}, "'roundtrip_s'"),
    ({"roundtrip_s": None}, "roundtrip_s"),
    ({"system": ""}, "'system'"),
    ({"scheme": 7}, "'scheme'"),
])
def test_a_bad_field_is_named_with_its_row(tmp_path, bad, named):
    good = row("latency", n=1, roundtrip_s=1)
    ended, report = render([good, {**good, **bad}], tmp_path)
    assert ended.returncode == 2
    assert "in.json: row 2: " in ended.stderr and named in ended.stderr and "Traceback" not in ended.stderr
    assert not report.exists()


def test_a_figure_that_is_none_and_a_file_that_is_not_there_are_errors(tmp_path):
    ended, _ = render('[{"experiment": "latency", "n": NaN}]', tmp_path)
    assert ended.returncode == 2 and "NaN" in ended.stderr
    ended = subprocess.run([sys.executable, RENDER, tmp_path / "none.json", tmp_path], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "none.json" in ended.stderr
