from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.tracking import Mirror, server

# MLflow 3.17 uses what SQLAlchemy 2.1 is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def test_the_server_listens_on_this_machine_only():
    words = server.command("mlartifacts", 5001)
    assert words[:4] == [sys.executable, "-m", "mlflow", "server"]
    pairs = dict(zip(words[4::2], words[5::2], strict=True))
    assert pairs["--host"] == "127.0.0.1"
    assert pairs["--port"] == "5001"
    assert pairs["--workers"] == "1"


def test_the_database_with_its_password_is_on_no_command_line():
    uri = "postgresql://ann:s3cret@127.0.0.1/mlflow"

    assert server.environment(uri, {})["MLFLOW_BACKEND_STORE_URI"] == uri
    assert not any("s3cret" in word for word in server.command("mlartifacts", 5001))


def test_the_server_starts_no_jobs_and_calls_nobody():
    environment = server.environment("sqlite:///a.db", {"PATH": "/bin", "DO_NOT_TRACK": "1"})
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert (environment["PATH"], environment["DO_NOT_TRACK"]) == ("/bin", "1")


def test_a_missing_database_is_explained(working_directory):
    with pytest.raises(UsageError, match="cytobench run") as caught:
        server.browsable({"name": "mlflow", "uri": "sqlite:///mlflow.db"})
    assert caught.value.code == "E602"
    assert not list(working_directory.iterdir())


def test_no_tracking_is_nothing_to_browse():
    with pytest.raises(UsageError, match="E605"):
        server.browsable({"name": "none"})


def test_a_taken_port_is_explained():
    with closing(socket.socket()) as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        with pytest.raises(UsageError, match="--port") as caught:
            server.check_port(taken.getsockname()[1])
    assert caught.value.code == "E603"


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_explained(port):
    with pytest.raises(UsageError, match="E603"):
        server.check_port(port)


def test_a_server_that_ends_says_why():
    words = [sys.executable, "-c", "import sys; sys.exit('no such table')"]
    with (
        pytest.raises(CytobenchError, match=r"(?s)E604.*exit code 1.*no such table"),
        server.running(words, "sqlite:///a.db", 1),
    ):
        pass


def test_experiments_are_those_that_cytobench_wrote(store, write_cell, config):
    from mlflow.tracking import MlflowClient

    Mirror(store, config).write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    MlflowClient(f"sqlite:///{Path('mlflow.db').resolve()}").create_experiment("mine")
    assert list(server.experiments(config["uri"]).values()) == ["quickstart/toy-response"]


@pytest.mark.slow
def test_the_ui_serves_runs_and_stops_when_told(toy_plugins, store, write_cell, config):
    Mirror(store, config).write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")
    with closing(socket.socket()) as probe:
        probe.bind((server.HOST, 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "cytobench", "ui", "dataset=toy", "model=toy_ridge"]
    process = subprocess.Popen(
        [*words, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    base = f"http://{server.HOST}:{port}"
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2) as answer:
                assert answer.status == 200
            break
        except OSError:
            time.sleep(0.5)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert f"{base}/#/experiments/1/runs?" in said
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{base}/health", timeout=2)
