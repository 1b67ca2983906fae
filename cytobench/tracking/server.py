"""How MLflow's UI is started: on this machine only, with nothing that is not needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import IO, Any

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.tracking.client import QUIET, Tracker, database_file, explained

HOST = "127.0.0.1"
START_SECONDS = 90
SHOWN_LINES = 15
ENVIRONMENT = {
    **QUIET,
    # Job workers evaluate language models: eight processes and 2 GB that nothing here uses.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def browsable(config: Mapping[str, Any]) -> str:
    """The address of a database or server that is there to be browsed.

    Raises
    ------
    UsageError
        ``E602`` where nothing has been written yet, ``E605`` under ``tracking=none``.
    """
    if config["name"] == "none":
        raise UsageError("E605", "there is nothing to browse", where="tracking=none")
    uri = str(config["uri"])
    path = database_file(uri)
    if path is not None and not path.is_file():
        raise UsageError(
            "E602",
            "there is no such database yet",
            where=str(path.resolve()),
            hint="`cytobench run` makes it here; `cytobench track` makes it from a run store",
        )
    return uri


def experiments(uri: str) -> dict[str, str]:
    """Id -> name of the experiments that cytobench wrote.

    Raises
    ------
    CytobenchError
        ``E601`` where the database or the server cannot be read.
    """
    with explained(uri, "could not be read"):
        return Tracker(uri).experiments()


def command(artifacts: str, port: int) -> list[str]:
    """The command line of the server, which every user of the machine can read."""
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--artifacts-destination", artifacts),
        *("--host", HOST),
        *("--port", str(port)),
        *("--workers", "1"),
        *("--uvicorn-opts", "--log-level warning"),
    ]


def environment(uri: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of the server, with its database; what the user has set else stays."""
    return {**ENVIRONMENT, **inherited, "MLFLOW_BACKEND_STORE_URI": uri}


def check_port(port: int) -> None:
    """See that nothing listens on a port.

    Raises
    ------
    UsageError
        ``E603`` where it is taken or may not be used.
    """
    with closing(socket.socket()) as probe:
        # As servers do: a port that a server has just left may be used again at once.
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise UsageError(
                "E603",
                f"port {port} cannot be used: {error}",
                where=f"--port {port}",
                hint=f"another program may listen there; try --port {_free_port()}",
            ) from error


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(arguments: Sequence[str], uri: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers; it ends with the block, also when this process is told to end.

    Raises
    ------
    CytobenchError
        ``E604`` where it ends or stays silent.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            list(arguments), env=environment(uri, os.environ), stdout=log, stderr=log
        )
        try:
            _await_answer(process, port, log)
            yield process
        finally:
            _stop(process)
            signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


def _await_answer(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    problem = f"did not answer within {START_SECONDS} s"
    while time.monotonic() < until:
        if process.poll() is not None:
            problem = f"ended with exit code {process.returncode}"
            break
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2):
                return
        except OSError:  # refused while it starts; URLError is one
            time.sleep(0.2)
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines()[-SHOWN_LINES:]
    raise CytobenchError("E604", "\n".join([f"the MLflow server {problem}:", *said]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
