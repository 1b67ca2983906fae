"""As much of the API of Kubernetes as kubectl needs to make a Job, see its pods and delete it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KINDS = {"pods": "Pod", "secrets": "Secret", "events": "Event", "jobs": "Job"}
GROUPS = {"api/v1": ("", "secrets"), "apis/batch/v1": ("batch", "jobs")}
BATCH = {"groupVersion": "batch/v1", "version": "v1"}


def _resources(*names: str) -> list[dict]:
    verbs = ["create", "delete", "get", "list"]
    return [
        {"name": name, "singularName": name[:-1], "namespaced": True, "kind": KINDS[name],
         "verbs": verbs}
        for name in names
    ]  # fmt: skip


def _openapi(prefix: str) -> dict:
    """Of one group: that its server looks at fields itself, which kubectl then leaves to it."""
    group, name = GROUPS[prefix]
    kind = {"group": group, "version": "v1", "kind": KINDS[name]}
    post = {
        "x-kubernetes-group-version-kind": kind,
        "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
    }
    path = f"/{prefix}/namespaces/{{namespace}}/{name}"
    info = {"title": "Kubernetes", "version": "1"}
    return {"openapi": "3.0.0", "info": info, "paths": {path: {"post": post, "patch": post}}}


DISCOVERED = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList", "apiVersion": "v1",
        "groups": [{"name": "batch", "versions": [BATCH], "preferredVersion": BATCH}],
    },
    "/api/v1": {
        "kind": "APIResourceList", "groupVersion": "v1",
        "resources": _resources("pods", "secrets", "events"),
    },
    "/apis/batch/v1": {
        "kind": "APIResourceList", "groupVersion": "batch/v1", "resources": _resources("jobs"),
    },
    "/openapi/v3": {
        "paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in GROUPS}
    },
    **{f"/openapi/v3/{name}": _openapi(name) for name in GROUPS},
}  # fmt: skip


class Api:
    """What was asked of it, and what it answers of pods and events.

    Attributes
    ----------
    asked : list of (verb, group, resource)
    made : list of dict
    items : dict
        Resource -> what there is of it.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.made: list[dict] = []
        self.items: dict[str, list[dict]] = {"pods": [], "events": []}


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            """Says nothing."""

        def answer(self, code, what):
            body = json.dumps(what).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def note(self, verb):
            """The resource that is asked for."""
            words = urlsplit(self.path).path.strip("/").split("/")
            name = words[words.index("namespaces") + 2]
            api.asked.append((verb, "batch" if words[0] == "apis" else "", name))
            return name

        def body(self):
            return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self):
            path = urlsplit(self.path).path
            if path in DISCOVERED:
                self.answer(200, DISCOVERED[path])
            elif "/namespaces/" in path:
                name = self.note("list")
                kind = KINDS[name]
                items = [{"apiVersion": "v1", "kind": kind, **item} for item in api.items[name]]
                found = {"apiVersion": "v1", "kind": f"{kind}List", "metadata": {}, "items": items}
                self.answer(200, found)
            else:
                self.answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure"})

        def do_POST(self):
            self.note("create")
            made = self.body()
            made["metadata"]["uid"] = f"uid-{len(api.made)}"
            api.made.append(made)
            self.answer(201, made)

        def do_DELETE(self):
            self.note("delete")
            assert self.body() == {"propagationPolicy": "Background"}
            self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
