"""The comparison with other systems: which figures are set against each other, what becomes of a peer that fails, and that
nothing runs unisolated or outlives a run.
"""

import importlib
import json
import pathlib
import select
import signal
import subprocess
import sys

import pytest

PEERS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"
RENDER = PEERS.parent / "report" / "render.py"
sys.path.insert(0, str(PEERS))
compare, covey_side, experiments, isolate, peers, plan, sheet = (importlib.import_module(name) for name in (
    "compare", "covey_side", "experiments", "isolate", "peers", "plan", "sheet"))
isolated = pytest.mark.skipif(isolate.check() is not None, reason="namespaces cannot be made here")


def row(system, experiment, **fields):
    scheme = "controller" if system == "covey" else ""
    return {"experiment": experiment, "system": system, "scheme": scheme, "transport": "plain", "engines": 4, **fields}


def lat(system, n, rate, scheme=None):
    made = row(system, "latency", n=n, sent_s=n / rate / 2, roundtrip_s=n / rate)
    return made if scheme is None else {**made, "scheme": scheme}


def run(system, rate, mode=""):
    return row(system, "exec", n=4096, mode=mode, roundtrip_s=4096 / rate)


def roundtrips(rows):
    return {(one.at, one.peer): (round(one.ratio), one.peer_n) for one in compare.ratios(rows) if one.measure == compare.ROUNDTRIP}


def test_a_peer_is_given_its_best_n_within_its_bound():
    found = roundtrips([lat("covey", 32768, 9000), lat("dask", 64, 50), lat("dask", 4096, 20), lat("dask", 32768, 900),
                        lat("ray", 4096, 90), lat("ray", 32768, 100)])
    assert found == {("n = 32,768", "dask"): (180, 64), ("n = 32,768", "ray"): (90, 32768)}


def test_covey_is_shown_at_a_few_n_and_with_the_median_of_repeats():
    rows = [lat("covey", n, rate) for n, rate in ((8, 1), (4096, 100), (4096, 200), (4096, 900), (1_000_000, 300))]
    assert roundtrips([*rows, lat("dask", 64, 10)]) == {("n = 4,096", "dask"): (20, 64), ("n = 1,000,000", "dask"): (30, 64)}


def test_above_one_means_better_for_times_too():
    found = compare.ratios([row("covey", "sequential", mode="inline", p50_us=200, p99_us=800), row("ray", "sequential", p50_us=3000, p99_us=400)])
    assert {(one.measure[:3], one.at): one.ratio for one in found} == {("p50", "inline"): 15, ("p99", "inline"): 0.5}


def test_map_is_compared_at_the_same_engines_and_dt_only():
    def at(system, engines, dt, efficiency):
        return {**row(system, "map", dt=dt, efficiency=efficiency), "engines": engines}

    found = compare.ratios([at("covey", 4, 0.001, 0.9), at("covey", 63, 0.001, 0.8), at("dask", 4, 0.001, 0.1), at("dask", 31, 0.001, 0.2)])
    assert [(one.at, round(one.ratio, 6)) for one in found] == [("4 engines, 1 ms", 9)]


def test_hyperqueue_is_given_the_better_of_its_two_clocks():
    found = compare.ratios([run("covey", 1200), run("hyperqueue", 300, "client's wait"), run("hyperqueue", 400, "server's count")])
    assert [(one.peer, round(one.ratio, 6)) for one in found] == [("hyperqueue", 3)]


def test_floors_are_met_missed_or_not_measured():
    rows = [run("covey", 1000), run("hyperqueue", 400), run("posix-spawn", 1000), lat("covey", 32768, 900_000), lat("ray", 4096, 2000)]
    seen = {(one.floor.peer, one.floor.at): one.words() for one in compare.verdicts(compare.ratios(rows))}
    assert seen == {("ray", "n = 32,768"): "met", ("ray", "n = 1,000,000"): "not measured",
                    ("ipyparallel leastload", "n = 32,768"): "not measured", ("ipyparallel leastload", "n = 1,000,000"): "not measured",
                    ("hyperqueue", "4 engines"): "missed", ("posix-spawn", "4 engines"): "met"}


def test_no_peers_or_no_covey_gives_no_ratios_and_still_a_sheet():
    for rows in ([], [lat("dask", 1, 1)], [lat("covey", 4096, 1)]):
        assert compare.ratios(rows) == []
        assert "not measured" in sheet.text({}, rows) and "not measured" in sheet.markdown({}, rows)


def test_a_busy_machine_is_told_and_an_idle_one_is_not():
    for load, told in ((0.3, False), (3.0, True)):
        meta = {"machine": {"cores": 4}, "load": {"before": load}}
        assert ("was busy" in sheet.text(meta, [])) == told == ("was busy" in sheet.markdown(meta, []))


FAILED = [lat("covey", 4096, 1000), lat("dask", 64, 10), row("ray", "startup", error="no | more"), lat("ipyparallel", 64, 5, "pure")]


def test_a_failure_is_told_in_the_table_and_below_it():
    markdown = sheet.markdown({}, FAILED)
    line = next(line for line in markdown.splitlines() if "roundtrip tasks/s | n = 4,096" in line)
    assert line.split(" | ")[4:] == ["1,000", "100 × (10 at 64)", "200 × (5 at 64)", "failed |"]
    assert "- ray, startup on 4 engines: no | more" in markdown and "failed" in sheet.text({}, FAILED)


def test_the_report_is_drawn_from_what_succeeded_and_names_what_failed(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps({"rows": FAILED, **compare.as_json(compare.ratios(FAILED))}))
    ended = subprocess.run([sys.executable, RENDER, tmp_path / "in.json", tmp_path], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    page = (tmp_path / "index.html").read_text()
    assert "Ray, startup: no | more" in page and "All 3 rows" in page


def test_the_plan_survives_the_way_to_the_peer():
    made = plan.quick(("map",))
    assert plan.Plan.from_json(made.to_json()) == made
    assert plan.Plan().counts("dask")[-1] == 4096 and plan.Plan().counts("ray")[-1] == 32768
    assert plan.quick(plan.EXPERIMENTS).counts("covey")[-2:] == (32768, 1_000_000)
    assert plan.Plan().sleeps(63, 0.001) == 126_000 and plan.Plan().arrays(4_000_000) == 50


class Broken(experiments.Peer):
    """Starts on 4 engines only, and cannot echo."""
    system = "broken"

    def start(self, engines, folder):
        if engines != 4:
            raise RuntimeError(f"no {engines} engines here")

    def stop(self):
        pass

    def submit_echo(self, payload):
        raise RuntimeError("no echo")

    def submit_sleeps(self, dt, n):
        return [n]

    def collect(self, handles):
        return handles


def test_what_fails_in_a_peer_costs_only_its_own_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments.os, "dup2", lambda *_: None)  # standard output is pytest's
    made = plan.Plan(experiments=("latency", "map"), map_engines=(4, 31), dts=(0.001,), map_seconds=0.004)
    experiments.run_all(Broken(), made, tmp_path, experiments.Recorder(tmp_path / "rows", Broken()))
    rows = [line for line in map(json.loads, (tmp_path / "rows").read_text().splitlines()) if "experiment" in line]
    assert [(one["experiment"], one["engines"], one.get("error")) for one in rows] == [
        ("startup", 4, None), ("latency", 4, "RuntimeError: no echo"), ("map", 4, None), ("startup", 31, "RuntimeError: no 31 engines here")]


@isolated
def test_a_covey_that_fails_gives_a_row_that_says_so_and_the_rest_goes_on(tmp_path):
    fake = tmp_path / "covey"
    fake.write_text('#!/bin/sh\n[ "$2" = map ] && { echo no maps today >&2; exit 4; }\n'
                    'while [ "$1" != --json ]; do shift; done\necho \'{"rows": [{"experiment": "exec"}]}\' > "$2"\n')
    fake.chmod(0o755)
    rows = []
    covey_side.run(fake, plan.Plan(experiments=("map", "exec"), map_engines=(4,), repeat=1), tmp_path, 30, lambda text: None, rows)
    assert rows[0] == {"experiment": "exec"} and len(rows) == 2
    assert (rows[1]["experiment"], rows[1]["engines"], rows[1]["error"]) == ("map", 4, "exit status 4: no maps today")


@isolated
def test_a_peer_that_ends_or_hangs_gives_a_row_of_what_it_had_begun(tmp_path, monkeypatch):
    (tmp_path / "dask_peer.py").write_text(
        "import argparse, sys, time\np = argparse.ArgumentParser()\n"
        "for name in ('plan', 'rows', 'folder', 'scheme'): p.add_argument('--' + name)\no = p.parse_args()\n"
        "open(o.rows, 'w').write('{\"begun\": \"map\", \"engines\": 31}\\n')\nsys.exit(3) if o.scheme == 'ends' else time.sleep(600)\n")
    monkeypatch.setattr(peers, "HERE", tmp_path)
    for scheme, why in (("ends", "exit status 3"), ("hangs", "not done after 2 s")):
        rows = []
        peers.run_peer("dask", scheme, plan.Plan(), tmp_path, 2, rows)
        assert [(one["experiment"], one["engines"], one["error"]) for one in rows] == [("map", 31, why)]


@isolated
def test_an_isolated_command_sees_loopback_only_and_leaves_nothing_behind(tmp_path):
    shown = subprocess.run(isolate.command(["ip", "-o", "link"]), capture_output=True, text=True, check=True).stdout
    assert [line.split(": ")[1] for line in shown.splitlines()] == ["lo"]
    assert isolate.run(["sh", "-c", "exit 3"], 60) == 3


@isolated
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_run_that_is_interrupted_or_killed(ending):
    # A process that has detached itself holds standard output, which we read, until it is gone.
    detached = "setsid sh -c 'echo started; sleep 600' & sleep 600"
    code = f"import sys; sys.path.insert(0, {str(PEERS)!r}); import isolate; isolate.run(['sh', '-c', {detached!r}], 600)"
    runner = subprocess.Popen([sys.executable, "-B", "-c", code], stderr=subprocess.PIPE)
    try:
        assert runner.stderr.readline() == b"started\n"
        runner.send_signal(ending)
        while True:
            assert select.select([runner.stderr], [], [], 60)[0], "something still holds the pipe"
            if not runner.stderr.read1():
                break
    finally:
        runner.kill()
        runner.wait()


@pytest.mark.parametrize(("words", "named"), [
    (["--only", "spark"], "ipyparallel"), (["--only", ","], "nothing"), (["--experiments", "speed"], "latency"),
    (["--map-engines", "4,x"], "4,31,63"), (["--timeout", "-1"], "above 0")])
def test_wrong_options_are_errors_that_say_what_would_be_right(words, named):
    ended = subprocess.run([sys.executable, "-B", PEERS / "peers.py", *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and named in ended.stderr and words[0] in ended.stderr


def test_a_file_that_cannot_be_written_is_an_error_before_anything_runs(tmp_path):
    words = ["--only", "posix-spawn", "--json", tmp_path, "--markdown", tmp_path / "a.md"]
    ended = subprocess.run([sys.executable, "-B", PEERS / "peers.py", *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and str(tmp_path) in ended.stderr and "directory" in ended.stderr


def test_help_needs_no_environment_and_teaches():
    ended = subprocess.run([PEERS / "run", "--help"], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    assert ended.returncode == 0 and "examples:" in ended.stdout and "--quick" in ended.stdout and "posix-spawn" in ended.stdout
