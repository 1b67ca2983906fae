"""No command asks another machine for anything: no telemetry, no updates, no fonts, no weights."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from support.watched import environment

COMMANDS = [
    ["run", "dataset=toy", "model=toy_ridge,guess,random_forest", "protocol.repeats=1",
     "tuning.trials=2", "floors=[]", "explain=true", "engine.workers=2"],
    ["report"],
    ["leaderboard", "build"],
    ["leaderboard", "site"],
    ["leaderboard", "show"],
    ["track", "--rebuild"],
    ["list", "models"],
    ["list", "datasets"],
    ["info", "toy"],
    ["info", "elastic_net"],
    ["audit", "toy", "protocol.repeats=1"],
    ["check", "ridge", "--fast"],
    ["new", "model", "mine"],
    ["doctor"],
    ["run", "--cfg"],
]  # fmt: skip


@pytest.fixture
def variables(working_directory):
    """Under these a Python notes in the working directory what it asks of other machines."""
    return environment(working_directory, dict(os.environ))


@pytest.fixture
def watched(working_directory, variables):
    """Run a Python in the working directory under these variables."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=working_directory,
            env=variables,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


def asked(folder: Path) -> str:
    path = folder / "asked"
    return path.read_text() if path.exists() else ""


def browse(folder: Path, variables: dict[str, str]) -> None:
    """Open what MLflow's page opens by itself: its own questions about telemetry among it."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "cytobench", "ui", "--port", str(port)]
    with subprocess.Popen(words, cwd=folder, env=variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{port}/"
        assert any(address.encode() in line for line in process.stdout), "it says where it is"
        for page in ("", "version", "ajax-api/3.0/mlflow/ui-telemetry"):
            with urllib.request.urlopen(address + page, timeout=60) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        process.stdout.read()


def test_a_request_would_be_noticed_and_refused(watched, working_directory):
    # An address for documentation, which nobody has (RFC 5737).
    done = watched("-c", "import urllib.request; urllib.request.urlopen('http://192.0.2.1/x')")

    assert "192.0.2.1: refused by the test" in done.stderr
    assert asked(working_directory).startswith("socket.")


def test_mlflow_by_itself_would_call_home(watched, working_directory):
    """What the next test finds nothing of is there to be found: MLflow's telemetry, left alone."""
    watched(
        "-c",
        "import time, mlflow; mlflow.set_tracking_uri('sqlite:///own.db');"
        "mlflow.create_experiment('x'); time.sleep(3)",
    )

    assert "mlflow" in asked(working_directory)


@pytest.mark.slow
def test_no_command_asks_another_machine_for_anything(watched, toy_plugins, variables):
    failed = {}
    for words in COMMANDS:
        done = watched("-m", "cytobench", *words)
        if done.returncode:
            failed[" ".join(words)] = done.stdout + done.stderr
    (entry,) = (toy_plugins / "runs" / "index" / "adhoc").iterdir()
    done = watched("-m", "cytobench", "track", "--champion", f"adhoc/{entry.name}")

    assert done.returncode == 0, done.stderr
    assert failed == {}
    browse(toy_plugins, variables)
    assert asked(toy_plugins) == ""
    processes = (toy_plugins / "asked.processes").read_text().splitlines()
    assert len(processes) > len(COMMANDS), "workers and the mirror's process were watched as well"
