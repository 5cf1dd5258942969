"""The schema of job files and the parser of `covey run` agree: on every example, and on small jobs, good and bad.

The schema cannot see everything that the parser sees (names that must differ, cycles, files), so that a job which the schema
accepts may still be refused. What it refuses, the parser has to refuse too.
"""

import json
import os
import pathlib
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
COVEY = os.environ.get("COVEY_EXECUTABLE", str(ROOT / "build" / "release" / "covey"))
SCHEMA = json.loads((ROOT / "bench" / "jobs" / "job.schema.json").read_text())
EXAMPLES = sorted((ROOT / "bench" / "jobs").glob("*.yaml"))

STEP = "name: j\nsteps:\n  - name: s\n    "
MAP = "map: {function: echo, inputs: {range: {to: 3}}}\n"

GOOD = [
    STEP + MAP,
    STEP + MAP + "    output: {file: x, format: csv}\n",
    STEP + MAP + "    output: x.jsonl\n",
    STEP + MAP + "    retries: 1000\n    max_attempts: 1\n    priority: -5\n    concurrency: 65536\n",
    STEP + MAP + "    timeout: 1.5h\n    run_limit: 500ms\n    retry_delay: 3\n    deadline: 10m\n",
    STEP + MAP + "    on_failure: 0.5%\n    labels: {gpu: a100, zone: 1}\n",
    STEP + MAP + "    on_failure: continue\n",
    STEP + "map: {function: echo, inputs: {values: [1, a, null, {x: 1}]}, arguments: ['${input}', 2]}\n",
    STEP + "map: {function: echo, inputs: {grid: {a: [1], b: {from: 3, to: 0, step: -1}}}}\n",
    STEP + "map: {function: sum, inputs: {values: [[1, 2], [3]]}, arguments: '${input}'}\n",
    STEP + "tasks: [{name: a, function: sleep, arguments: [1]}, {name: b, function: echo, after: a, retries: 2}]\n",
    STEP + "benchmark: {experiment: all, engines: [4, 8], n: 5, bytes: [1], dt: [1ms, 2], ideal: 1s, schemes: [direct], quick: true}\n",
    "name: j\nparameters: {n: 3}\ncluster: {engines: '${n}', slots: 2}\ndefaults: {retries: '${n}'}\nsteps: [{" + MAP.strip() + "}]\n",
]

BAD = [
    "[]\n",
    "name: j\n",
    "name: j\nsteps: []\n",
    "name: a b\nsteps: [{" + MAP.strip() + "}]\n",
    "name: j\nparameters: {input: 1}\nsteps: [{" + MAP.strip() + "}]\n",
    "name: j\ncluster: {engines: 0}\nsteps: [{" + MAP.strip() + "}]\n",
    STEP + MAP + "    retriez: 1\n",
    STEP + MAP + "    retries: -1\n",
    STEP + MAP + "    retries: 1001\n",
    STEP + MAP + "    retries: 1.5\n",
    STEP + MAP + "    max_attempts: 0\n",
    STEP + MAP + "    concurrency: 65537\n",
    STEP + MAP + "    timeout: soon\n",
    STEP + MAP + "    on_failure: ignore\n",
    STEP + MAP + "    on_failure: 101%\n",
    STEP + MAP + "    labels: [gpu]\n",
    STEP + MAP + "    output: {file: x, format: xml}\n",
    STEP + MAP + "    tasks: [{name: a, function: echo}]\n",
    STEP + "retries: 1\n",
    STEP + "map: {function: echo}\n",
    STEP + "map: {function: echo, inputs: {range: {from: 3}}}\n",
    STEP + "map: {function: echo, inputs: {range: {to: 3, step: 0}}}\n",
    STEP + "map: {function: echo, inputs: {range: {to: 3}, lines: x}}\n",
    STEP + "map: {function: echo, inputs: {values: []}}\n",
    STEP + "map: {function: echo, inputs: {values: [1]}, arguments: 5}\n",
    STEP + "map: {function: echo, inputs: {csv: {file: x, delimiter: ab}}}\n",
    STEP + "tasks: [{name: a}]\n",
    STEP + "benchmark: {experiment: speed}\n",
    STEP + "benchmark: {experiment: map, schemes: [fast]}\n",
]


def fits(text):
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))


def parse(text, folder):
    (folder / "job.yaml").write_text(text)
    command = [COVEY, "run", "job.yaml", "--dry-run", "--json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits(example):
    document = yaml.safe_load(example.read_text())
    problems = [f"{list(error.absolute_path)}: {error.message}" for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]
    assert problems == []


@pytest.mark.parametrize("text", GOOD)
def test_what_is_good_is_accepted_by_both(text, tmp_path):
    ended = parse(text, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert fits(text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_bad_is_refused_by_both_and_the_parser_says_where(text, tmp_path):
    ended = parse(text, tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("job.yaml:"), ended.stderr
    assert not fits(text)
