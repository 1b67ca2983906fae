"""The mirror beside a run: a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.errands import until

from cytobench.tracking import Live

NAME = ("quickstart", "toy-response")


def written():
    """Names of the runs that are finished in MLflow."""
    with closing(sqlite3.connect("mlflow.db")) as database:
        rows = database.execute(
            "select name from runs where status = 'FINISHED' and lifecycle_stage = 'active'"
        )
        return sorted(name for (name,) in rows)


def process_of(live):
    """The process that writes."""
    return live._writer._process


@pytest.mark.slow
def test_cells_are_written_by_another_process_and_waited_for(store, write_cell, config, capsys):
    with Live(store.root, config) as live:
        for key, model in (("k1", "toy_ridge"), ("k2", "other")):
            live.cell(write_cell(model, key), *NAME)
        process = process_of(live)
        assert process.pid != os.getpid()
    assert process.returncode == 0
    assert written() == ["leaderboard", "other", "toy_ridge"]
    said = capsys.readouterr()
    assert "2 cells are still being written" in said.out
    assert not said.err


@pytest.mark.slow
def test_runs_are_named_as_on_the_board_when_all_are_there(store, write_cell, config):
    with Live(store.root, config) as live:
        for key, c in (("k1", 1), ("k2", 10)):
            node = {
                "model": {"name": "toy_ridge", "C": c, "space": {}}, "seed": 0, "device": "auto",
                "preprocess": {"name": "standard", "censored": "x", "missing": "median"},
                "tuning": {"sampler": "none", "trials": 0, "seconds": None, "metric": "log_loss"},
            }  # fmt: skip
            live.cell(write_cell("toy_ridge", key, config=node), *NAME)
    assert written() == ["leaderboard", "toy_ridge (C=1)", "toy_ridge (C=10)"]


def test_nothing_is_started_for_a_run_that_has_nothing_to_write(store, config):
    with Live(store.root, config) as live:
        pass
    assert live._writer is None


@pytest.mark.slow
def test_handing_over_a_cell_costs_next_to_nothing(store, write_cell, config):
    key = write_cell("toy_ridge", "k1")
    with Live(store.root, config) as live:
        live.start()
        before = time.process_time()
        live.cell(key, *NAME)
        spent = time.process_time() - before
    assert spent < 0.02


@pytest.mark.slow
def test_a_database_that_cannot_be_written_is_said_once(
    store, write_cell, working_directory, capsys
):
    (working_directory / "occupied").write_text("a file where a folder should be")
    broken = {"uri": "sqlite:///occupied/mlflow.db", "artifacts": "mlartifacts"}
    with Live(store.root, broken) as live:
        for key in ("k1", "k2"):
            live.cell(write_cell("toy_ridge", key), *NAME)
    said = capsys.readouterr().err
    assert said.count("E601") == 1
    assert "cytobench track" in said


@pytest.mark.slow
def test_a_process_that_is_killed_is_said_once_and_ends_nothing_else(
    store, write_cell, config, capsys
):
    with Live(store.root, config) as live:
        live.start()
        process_of(live).kill()
        process_of(live).wait()
        for key in ("k1", "k2"):
            live.cell(write_cell("toy_ridge", key), *NAME)
    said = capsys.readouterr().err
    assert said.count("E601") == 1
    assert f"exit code {-signal.SIGKILL}" in said
    assert "cytobench track" in said


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_process_and_says_what_is_missing(
    store, write_cell, config, capsys
):
    live = Live(store.root, config)

    def interrupted():
        with live:
            for key in ("k1", "k2", "k3"):
                live.cell(write_cell("toy_ridge", key), *NAME)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert process_of(live).poll() is not None
    assert (
        "3 cells are not in MLflow yet; to write them: cytobench track" in capsys.readouterr().err
    )


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_no_process(store, write_cell, config):
    keys = [write_cell("toy_ridge", "k1"), write_cell("other", "k2")]
    code = (
        "import os, pathlib, signal, time\n"
        "from cytobench.tracking import Live\n"
        f"live = Live(pathlib.Path('runs'), {config!r})\n"
        f"for key in {keys!r}:\n"
        f"    live.cell(key, *{NAME!r})\n"
        "print(live._writer._process.pid, flush=True)\n"
        "time.sleep(1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    until(lambda: not _alive(int(done.stdout)), 240)
    # It finishes what it was told, though nobody hears of it.
    assert written() == ["leaderboard", "other", "toy_ridge"]


def _alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_server_that_never_answers_is_given_up_and_said_once(
    store, write_cell, config, capsys, monkeypatch
):
    monkeypatch.setattr("cytobench.tracking.live.OPENING", 1.0)
    key = write_cell("toy_ridge", "k1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = {**config, "uri": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with Live(store.root, hanging) as live:
            live.cell(key, *NAME)
    assert process_of(live).poll() is not None
    said = capsys.readouterr().err
    assert said.count("E601") == 1
    assert "cytobench track" in said
