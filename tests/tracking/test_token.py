"""A server behind a proxy that takes tokens: every request carries it, and nothing else does."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.servers import free_port

from cytobench.tracking import server

pytestmark = pytest.mark.slow

TOKEN = "t0ken-s3cret-word"
RUN = (
    "run", "dataset=toy", "model=toy_ridge", "floors=[]", "tuning=off", "engine=serial",
    "protocol.folds=2", "protocol.repeats=1",
)  # fmt: skip


@contextmanager
def proxy(port):
    """A proxy that lets only the token's bearer through; its address, and what it was shown."""
    shown = []

    class Gate(BaseHTTPRequestHandler):
        def pass_on(self):
            shown.append((self.path, self.headers.get("Authorization")))
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if shown[-1][1] != f"Bearer {TOKEN}":
                self.answer(401, [], b"who are you?")
                return
            headers = {name: text for name, text in self.headers.items() if name != "Authorization"}
            inside = http.client.HTTPConnection(server.HOST, port, timeout=60)
            inside.request(self.command, self.path, content, headers)
            answer = inside.getresponse()
            self.answer(answer.status, answer.getheaders(), answer.read())
            inside.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the library names them

        def answer(self, status, headers, content):
            self.send_response(status)
            for name, text in headers:
                if name.lower() == "content-type":
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((server.HOST, 0), Gate) as gate:
        threading.Thread(target=gate.serve_forever, daemon=True).start()
        yield f"http://{server.HOST}:{gate.server_port}", shown
        gate.shutdown()


def test_a_token_opens_the_server_and_is_kept_nowhere(toy_plugins, cytobench):
    port, database = free_port(), f"sqlite:///{toy_plugins}/server.db"
    with (
        server.running(server.command(str(toy_plugins / "artifacts"), port), database, port),
        proxy(port) as (address, shown),
    ):
        given = {"MLFLOW_TRACKING_URI": address, "MLFLOW_TRACKING_TOKEN": TOKEN}
        done = cytobench(*RUN, "--debug", **given)
        asked, shown[:] = list(shown), []
        wrong = cytobench(
            "track", "--rebuild", "--debug", check=False,
            **{**given, "MLFLOW_TRACKING_TOKEN": f"{TOKEN}-old"},
        )  # fmt: skip

    calls = {said for path, said in asked if path.startswith("/api/")}
    written = [path for path in toy_plugins.rglob("*") if path.is_file()]
    assert calls == {f"Bearer {TOKEN}"}
    assert any(path.startswith("/api/2.0/mlflow/runs/log-batch") for path, _ in asked)
    assert "E601" in wrong.stderr
    assert "Traceback" in wrong.stderr
    assert {said for _, said in shown} <= {f"Bearer {TOKEN}-old", None}
    assert TOKEN not in done.stdout + done.stderr + wrong.stdout + wrong.stderr
    assert (toy_plugins / "server.db") in written
    assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []
