"""A run that is killed loses at most the folds in flight, and ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

RUN = [
    "run",
    "dataset=toy",
    "model=toy_ridge,guess",
    "tuning.trials=6",
    "protocol.repeats=2",
    "tracking=none",
    "floors=[]",
]


def board(folder, name):
    """A leaderboard file without its timings."""
    (path,) = (folder / name / "adhoc").glob("toy-response-*.json")
    content = json.loads(path.read_text())
    for row in content["rows"]:
        row.pop("seconds_per_fold")
    return json.dumps(content)


def folds(folder, store):
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in (folder / store).rglob("fold-*.parquet")
    }


@pytest.mark.parametrize("engine", ["serial", "joblib"])
def test_after_kill_9_the_same_command_completes_the_run(toy_plugins, cytobench, engine):
    command = [*RUN, f"engine={engine}"]
    cytobench(*command, "store=undisturbed")
    cytobench("leaderboard", "build", "--store", "undisturbed", "--output", "first")

    process = subprocess.Popen(
        [sys.executable, "-m", "cytobench", *command, "store=killed"],
        cwd=toy_plugins,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(folds(toy_plugins, "killed")) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survivors = folds(toy_plugins, "killed")
    assert 5 <= len(survivors) < 20, "the run was to be killed in the middle"

    done = cytobench(*command, "store=killed")
    cytobench("leaderboard", "build", "--store", "killed", "--output", "second")

    assert (
        f"{20 - len(survivors)} folds computed, {len(survivors)} were already there" in done.stdout
    )
    after = folds(toy_plugins, "killed")
    assert {path: after[path] for path in survivors} == survivors
    assert board(toy_plugins, "first") == board(toy_plugins, "second")


def test_the_same_command_again_computes_nothing(toy_plugins, cytobench):
    cytobench(*RUN, "engine=serial")
    before = folds(toy_plugins, "runs")

    again = cytobench(*RUN, "engine=serial")

    assert "0 folds computed, 20 were already there" in again.stdout
    assert folds(toy_plugins, "runs") == before


def test_one_and_two_workers_give_the_same_bits(toy_plugins, cytobench):
    for workers in (1, 2):
        cytobench(*RUN, "engine=joblib", f"engine.workers={workers}", f"store=w{workers}")
        cytobench("leaderboard", "build", "--store", f"w{workers}", "--output", f"b{workers}")

    assert board(toy_plugins, "b1") == board(toy_plugins, "b2")


def test_an_edited_plugin_is_computed_anew_and_takes_its_place(toy_plugins, cytobench):
    cytobench(*RUN, "engine=serial")
    plugin = toy_plugins / "plugins" / "models" / "toy_ridge.py"
    plugin.write_text(plugin.read_text().replace("max_iter=1000", "max_iter=999"))

    again = cytobench(*RUN, "engine=serial")

    assert "10 folds computed, 10 were already there" in again.stdout
    assert again.stdout.count("\ntoy_ridge ") == 1
