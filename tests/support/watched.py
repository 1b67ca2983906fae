"""A ``sitecustomize`` for child processes: whoever asks for another machine is noted and refused.

Python's audit events are raised by the socket itself, so that nothing that a library has imported
or replaced gets past them, and the file is read by every process that starts a Python of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

SOURCE = """
import os, sys, traceback

LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[-1]
        if not isinstance(address, tuple):  # a socket of this machine's file system
            return
        asked = str(address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        asked = arguments[0]
        asked = asked.decode() if isinstance(asked, bytes) else str(asked or "localhost")
    else:
        return
    if asked.startswith(LOCAL) or asked in (os.uname().nodename, ""):
        return
    with open(os.environ["WATCHED"], "a") as file:
        said = "".join(traceback.format_stack(limit=12)[:-1])
        file.write(f"{event} {asked} by {sys.argv}\\n{said}\\n")
    raise OSError(f"{asked}: refused by the test")


sys.addaudithook(watch)
with open(os.environ["WATCHED"] + ".processes", "a") as file:
    file.write(" ".join(sys.orig_argv[1:4]).replace("\\n", " ")[:80] + "\\n")
"""


def environment(folder: Path, inherited: dict[str, str]) -> dict[str, str]:
    """Variables under which each Python notes in ``folder/asked`` what it asks of other machines.

    Without those by which libraries tell that they are being tested, and then stay quiet.
    """
    place = folder / "watch"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(SOURCE, encoding="utf-8")
    quiet = (
        "CI",
        "DO_NOT_TRACK",
        "MLFLOW_DISABLE_TELEMETRY",
        "PYTEST_CURRENT_TEST",
        "HF_HUB_OFFLINE",
    )
    kept = {name: value for name, value in inherited.items() if name not in quiet}
    path = ":".join(filter(None, [str(place), inherited.get("PYTHONPATH"), *sys.path]))
    return {**kept, "PYTHONPATH": path, "WATCHED": str(folder / "asked")}
