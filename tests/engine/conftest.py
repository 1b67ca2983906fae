"""A scheduler and workers of its own, as processes with working directories of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from support.errands import wait_for


class Cluster:
    """Starts and stops the processes of a Dask cluster; nothing of it is in the test's process."""

    def __init__(self, folder, repository):
        self.folder = folder
        self.path = os.pathsep.join([str(repository), str(repository / "tests")])
        self.processes = []
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard"
        )
        wait_for(self.file)

    @property
    def address(self):
        import json

        for _ in range(100):
            try:
                return json.loads(self.file.read_text())["address"]
            except ValueError:
                time.sleep(0.05)
        raise AssertionError("the scheduler has written no address")

    def worker(self, *options, path="", **environment):
        """One more worker process; `path` comes first on its import path."""
        words = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--death-timeout", "20"]
        return self._start("worker", *words, *options, path=path, **environment)

    def wait(self, workers):
        """Until so many are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def _start(self, what, *options, path="", **environment):
        home = self.folder / f"{what}-{len(self.processes)}"
        home.mkdir()
        place = ["--local-directory", str(home)] if what == "worker" else []
        first = f"{path}{os.pathsep}" if path else ""
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", f"distributed.cli.dask_{what}",
                    "--scheduler-file", str(self.file), *place, *options,
                ],
                cwd=home,
                env={**os.environ, "PYTHONPATH": first + self.path, **environment},
                stdout=log,
                stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory, pytestconfig):
    """A running scheduler without workers."""
    pytest.importorskip("distributed")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), pytestconfig.rootpath)
    yield cluster
    cluster.stop()
