"""Work for engines, that any process with the tests on its path can carry out."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from cytobench.core.result import FoldFailure


@dataclass(frozen=True)
class Errand:
    """Does what its name says, and notes in a folder which process has begun it."""

    fold: int
    what: str = "answer"
    noted: str = ""
    key: str = "cell"

    def attempt(self, salt):
        if self.noted:
            Path(self.noted, f"{self.fold}-{os.getpid()}").touch()
        if self.what == "wait":
            wait_for(Path(self.noted, "go"))
        if self.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "unreadable":
            return Unreadable()
        if self.what == "sleep":
            time.sleep(120)
        if self.what == "differs" and "TEST_DIFFERS" in os.environ:
            return FoldFailure(self.fold, "[E501] not like the process that planned it", "", "")
        return (self.fold, salt, os.getpid(), str(Path.cwd()), os.environ.get("CYTOBENCH_DATA"))


class Unreadable:
    """An answer that can be sent and not be read."""

    def __reduce__(self):
        return int, ("no number",)


def until(true, seconds, otherwise=""):
    """Wait for what other processes do."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)


def wait_for(path, seconds=90.0):
    """Until a file is there."""
    until(path.exists, seconds, f"{path} never came")


def begun(folder):
    """Fold -> the processes that have begun it."""
    found = {}
    for path in Path(folder).glob("*-*"):
        fold, pid = path.name.split("-")
        found.setdefault(int(fold), set()).add(int(pid))
    return found
