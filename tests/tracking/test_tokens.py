"""A server that wants a bearer token gets it from the environment, and nobody else does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

TOKEN = "t0ken-of-ann"
RUN = ("run", "dataset=toy", "model=guess", "floors=[]", "tuning=off", "protocol.repeats=1")


class Refusing(BaseHTTPRequestHandler):
    """Writes down who asks, and lets nobody in."""

    def do_GET(self) -> None:
        """Refuse."""
        self.server.asked_by.append(self.headers["Authorization"])
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *what: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        server.asked_by = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_the_token_reaches_the_server_and_no_file_and_no_word(
    toy_plugins, cytobench, server, debug
):
    uri = f"http://127.0.0.1:{server.server_port}"

    done = cytobench(
        *RUN, "tracking=mlflow", f"tracking.uri={uri}", *debug, MLFLOW_TRACKING_TOKEN=TOKEN
    )

    assert f"Bearer {TOKEN}" in server.asked_by
    assert "[E601]" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    files = [path for path in Path().rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_a_database_where_nobody_listens_is_said_at_once_and_without_its_password(
    toy_plugins, cytobench
):
    cytobench(*RUN, "tracking=none")
    begun = time.monotonic()

    done = cytobench(
        "track", "tracking.uri=postgresql://ann:s3cret-word@127.0.0.1:1/x", check=False
    )

    assert "[E601] postgresql://***@127.0.0.1:1/x" in done.stderr
    assert time.monotonic() - begun < 60  # MLflow by itself tries for two minutes
