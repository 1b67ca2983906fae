"""The manifest for Kubernetes: its own commands make a cluster here, and its job runs on it."""

import os
import socket
import subprocess
import sys
import time

import pytest
import yaml
from support.pages import REPOSITORY
from support.servers import free_port

pytest.importorskip("distributed")
MANIFEST = REPOSITORY / "docs" / "cluster" / "kubernetes.yaml"
SERVICE = "tcp://cytobench-scheduler:8786"


@pytest.fixture(scope="module")
def parts():
    """(kind, name) -> what the manifest says of it."""
    found = yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))
    return {(one["kind"], one["metadata"]["name"]): one["spec"] for one in found}


def pod(parts, kind, name):
    return parts[kind, name]["template"]["spec"]


def container(parts, kind, name):
    (only,) = pod(parts, kind, name)["containers"]
    return only


PODS = [
    ("Deployment", "cytobench-scheduler"),
    ("Deployment", "cytobench-worker"),
    ("Job", "cytobench"),
]


def test_every_pod_is_found_by_its_labels_and_by_nobody_else(parts):
    for kind, name in PODS:
        labels = parts[kind, name]["template"]["metadata"]["labels"]
        selector = parts[kind, name].get("selector", {"matchLabels": {}})["matchLabels"]
        assert selector.items() <= labels.items()
        assert labels["app"] == "cytobench"
    service = parts["Service", "cytobench-scheduler"]
    assert service["selector"]["part"] == "scheduler"
    (rule,) = parts["NetworkPolicy", "cytobench"]["ingress"]
    assert rule == {"from": [{"podSelector": {"matchLabels": {"app": "cytobench"}}}]}


def test_workers_see_the_working_folder_under_the_same_path_and_cannot_write_it(parts):
    worker, run = container(parts, *PODS[1]), container(parts, *PODS[2])

    assert worker["workingDir"] == run["workingDir"]
    (seen,), (written,) = worker["volumeMounts"], run["volumeMounts"]
    assert seen == {**written, "readOnly": True}
    assert pod(parts, *PODS[1])["volumes"] == pod(parts, *PODS[2])["volumes"]


def test_no_pod_may_speak_to_kubernetes_and_each_has_a_limit(parts):
    for place in PODS:
        assert pod(parts, *place)["automountServiceAccountToken"] is False
        assert "memory" in container(parts, *place)["resources"]["limits"]


def test_the_manifests_own_commands_run_a_suite(parts, toy_plugins, cytobench, tmp_path):
    port = free_port()
    run = container(parts, *PODS[2])["args"][1:]
    small = ["dataset=toy", "model=toy_ridge", "tuning=off", "protocol.repeats=1", "floors=[]"]
    run[run.index("suite=zoo") : run.index("suite=zoo") + 1] = small
    scheduler = start(container(parts, *PODS[0]), tmp_path / "scheduler", port, "--host=127.0.0.1")
    worker = start(container(parts, *PODS[1]), tmp_path / "worker", port, "--no-nanny")
    try:
        wait_for_port(port)

        done = cytobench(*(word.replace(SERVICE, f"tcp://127.0.0.1:{port}") for word in run))

        assert "5 folds computed" in done.stdout
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(30)


def start(said, home, port, more):
    """A container's command as a process of this machine."""
    home.mkdir()
    here = {
        SERVICE: f"tcp://127.0.0.1:{port}", "--port=8786": f"--port={port}",
        "python": sys.executable,
    }  # fmt: skip
    variables = {item["name"]: item["value"] for item in said.get("env", [])}
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            [*(here.get(word, word) for word in said["args"]), more],
            cwd=home, stdout=log, stderr=log,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        )  # fmt: skip


def wait_for_port(port):
    """Until somebody listens."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("no scheduler came")
