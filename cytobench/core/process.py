"""Which process on which machine: said so that another one can tell whether it still lives."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PID = re.compile(r"[0-9]{1,10}\Z")


@dataclass(frozen=True)
class Process:
    """A process, named for others who share a folder with it.

    Attributes
    ----------
    place : str
        Short hash of host, boot and process namespace: numbers of processes mean the same within.
    pid : int
    started : str
        When it was started, in the system's own ticks: a number may be given to another process
        later. Empty where the system does not say.
    """

    place: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.place}-{self.pid}-{self.started}"

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """Back from its name; None where it is none."""
        place, _, rest = text.partition("-")
        pid, _, started = rest.partition("-")
        return cls(place, int(pid), started) if place and PID.match(pid) else None

    @property
    def gone(self) -> bool:
        """Whether it has certainly ended; False too for one that cannot be seen from here."""
        return self.place == _place() and self.started != _started(self.pid)


def left_by_the_gone(paths: Iterable[Path], prefix: str = "") -> Iterator[tuple[Path, Process]]:
    """Those whose process has ended, and it: named between the prefix and the last dot."""
    for path in paths:
        process = Process.parse(path.name.removeprefix(prefix).rpartition(".")[0])
        if process is not None and process.gone:
            yield path, process


def this_process() -> Process:
    """The process that asks."""
    return _named(os.getpid())


def lives(pid: int) -> bool:
    """Whether a process has this number here, one that has ended and was not waited for aside."""
    return bool(_started(pid))


@cache
def _named(pid: int) -> Process:
    return Process(_place(), pid, _started(pid))


@cache
def _place() -> str:
    """Of two containers with one host name, neither sees the other's processes."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot, from Linux' ``/proc``; empty for none."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The name in brackets may hold anything; the state is the first word after it.
    words = said.rpartition(")")[2].split()
    return "" if words[0] in "ZX" else words[19]
