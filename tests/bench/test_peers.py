"""The comparison with other systems: which figures are set against each other, and that nothing runs unisolated."""

import importlib
import pathlib
import subprocess
import sys

import pytest

PEERS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.path.insert(0, str(PEERS))
compare, isolate, plan = (importlib.import_module(name) for name in ("compare", "isolate", "plan"))


def row(system, experiment, **fields):
    return {"experiment": experiment, "system": system, "scheme": "", "transport": "plain", "engines": 4, **fields}


def lat(system, n, rate):
    return row(system, "latency", n=n, sent_s=n / rate / 2, roundtrip_s=n / rate, sent_tasks_per_s=2 * rate,
               roundtrip_tasks_per_s=rate)


def test_a_peer_is_given_its_best_n_and_covey_no_more_tasks_than_it_had():
    found = compare.ratios([lat("covey", 4096, 1000), lat("covey", 32768, 9000), lat("dask", 64, 50), lat("dask", 4096, 20),
                            lat("ray", 4096, 90)])
    roundtrip = {one.peer: one.ratio for one in found if one.measure == "roundtrip tasks/s"}
    assert roundtrip == {"dask": 20, "ray": 100}  # Ray is measured up to 32768, and so is Covey beside it


def test_covey_at_the_bound_is_shown_beside_its_best():
    found = compare.ratios([lat("covey", 512, 2000), lat("covey", 4096, 1000), lat("dask", 64, 50)])
    assert [one.ratio for one in found if one.measure == "roundtrip tasks/s"] == [40, 20]


def test_above_one_means_better_for_times_too():
    found = compare.ratios([row("covey", "sequential", p50_us=200, p99_us=800), row("ray", "sequential", p50_us=3000, p99_us=400)])
    assert {one.measure: one.ratio for one in found} == {"p50 µs": 15, "p99 µs": 0.5}


def test_map_is_compared_at_the_same_engines_and_dt_only():
    def at(system, engines, dt, efficiency):
        return {**row(system, "map", dt=dt, efficiency=efficiency), "engines": engines}

    found = compare.ratios([at("covey", 4, 0.001, 0.9), at("covey", 63, 0.001, 0.8), at("dask", 4, 0.001, 0.1), at("dask", 31, 0.001, 0.2)])
    assert [(one.at, round(one.ratio, 6)) for one in found] == [("4 engines, 1 ms", 9)]


def test_no_peers_or_no_covey_gives_no_ratios():
    assert compare.ratios([]) == [] and compare.ratios([lat("dask", 1, 1)]) == [] and compare.ratios([lat("covey", 1, 1)]) == []


def test_the_plan_survives_the_way_to_the_peer():
    made = plan.quick(("map",), 0.5)
    assert plan.Plan.from_json(made.to_json()) == made
    assert plan.Plan().counts("dask")[-1] == 4096 and plan.Plan().counts("ray")[-1] == 32768
    assert plan.Plan().sleeps(63, 0.001) == 126_000 and plan.Plan().arrays(4_000_000) == 50


@pytest.mark.skipif(isolate.check() is not None, reason="namespaces cannot be made here")
def test_an_isolated_command_sees_loopback_only_and_leaves_nothing_behind(tmp_path):
    shown = subprocess.run(isolate.command(["ip", "-o", "link"]), capture_output=True, text=True, check=True).stdout
    assert [line.split(": ")[1] for line in shown.splitlines()] == ["lo"]
    mark = tmp_path / "late"
    # The writer is detached from its parent's session, and must be gone all the same once the command has ended.
    assert isolate.run(["sh", "-c", f"setsid sh -c 'sleep 0.5; touch {mark}' & exit 3"], 10) == 3
    assert isolate.run(["sleep", "60"], 0.7) == 124
    assert not mark.exists()


def test_an_unknown_system_is_an_error():
    ended = subprocess.run([sys.executable, "-B", PEERS / "peers.py", "--systems", "spark"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "spark" in ended.stderr and "ipyparallel" in ended.stderr
