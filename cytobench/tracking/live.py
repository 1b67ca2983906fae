"""The mirror beside a run: a process of its own, fed with cells, that no fold has to wait for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from cytobench import console
from cytobench.core.errors import CytobenchError
from cytobench.tracking.mirror import SAFE
from cytobench.tracking.owed import is_owed, owe

PATIENCE = 1.0
"""Seconds of waiting at the end that need no words."""
GRACE = 5.0
"""Seconds that a process which is told to end is given for it."""
OPENING = 180.0
"""Seconds from its start in which the process has to reach MLflow; a new database takes ten."""


class Live:
    """Has finished cells written to MLflow by another process, in the order in which they finish.

    No result depends on it: a problem is said once and ends the mirroring. ``cytobench track``
    makes up for it, and so does the next run that has the cell. As a context it waits for what is
    left; where the block was interrupted, it stops the process and says what is missing.

    Parameters
    ----------
    store : Path
        The run store's folder.
    config : mapping
        The ``tracking`` node.
    """

    def __init__(self, store: Path, config: Mapping[str, Any]) -> None:
        self.uri = str(config["uri"])
        self._store = store
        self._place = {**config, "store": str(store)}
        self._writer: _Writer | None = None
        self._asked = self._written = 0
        self._open = self._failed = False
        self._started = 0.0

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is None:
            return
        try:
            if kind is None:
                self._wait(self._writer)
        finally:
            stopped = self._writer.stop()
            self._hear(self._writer)
            left = self._asked - self._written
            if stopped and left and not self._failed:
                console.warn(f"{_cells(left)} not in MLflow yet; to write them: cytobench track")

    def start(self) -> None:
        """Start the process now: it imports MLflow while the first folds are fitted."""
        if self._writer is None and not self._failed:
            try:
                self._writer = _Writer()
            except OSError as error:
                self._fail(f"the process that writes MLflow cannot be started: {error}")
            else:
                self._started = time.monotonic()
                self._writer.tell(self._place)

    def cell(self, key: str, suite: str, entry: str, *, renew: bool = False) -> None:
        """Have a cell written, anew where `renew` says so; returns at once."""
        owe(self._store, key)
        self.start()
        if self._writer is not None and not self._failed:
            self._writer.tell({"key": key, "suite": suite, "entry": entry, "renew": renew})
            self._asked += 1
            self._hear(self._writer)

    def owes(self, key: str) -> bool:
        """Whether an earlier run has handed a cell over in vain."""
        return is_owed(self._store, key)

    def _wait(self, writer: _Writer) -> None:
        """Until everything is written, or the process has ended for another reason."""
        code = writer.end(PATIENCE)
        if code is None:
            self._hear(writer)
            left = self._asked - self._written
            if not self._failed:
                console.say(f"MLflow: {_cells(left)} still being written ...", style="dim")
            while (code := writer.wait(PATIENCE)) is None:
                self._hear(writer)
                if not self._open and time.monotonic() - self._started > OPENING:
                    self._fail(f"MLflow cannot be reached: no answer within {OPENING:.0f} s")
                    return
        self._hear(writer)
        if code and not self._failed:
            said = writer.last_words()
            self._fail(
                f"the process that writes MLflow ended with exit code {code}"
                + (f": {said}" if said else "")
            )

    def _hear(self, writer: _Writer) -> None:
        for answer in writer.answers():
            if "error" in answer:
                self._failed = True
                console.warn(answer["error"])
            elif "open" in answer:
                self._open = True
            else:
                self._written += 1

    def _fail(self, text: str) -> None:
        self._failed = True
        console.warn(str(CytobenchError("E601", text, where=self.uri, hint=SAFE)))


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"


class _Writer:
    """The process of :mod:`cytobench.tracking.worker`, with what is said to it and what it says."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            # Without the working directory in front of the path: a folder there hides no package.
            [sys.executable, "-P", "-m", "cytobench.tracking.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            encoding="utf-8",
        )
        self._orders: SimpleQueue[str] = SimpleQueue()
        self._said: SimpleQueue[dict[str, str]] = SimpleQueue()
        # A full pipe would make a fold wait; two threads that sleep do not.
        self._threads = [
            threading.Thread(target=self._feed, args=(self._process.stdin,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def tell(self, what: Mapping[str, Any]) -> None:
        """Send a line; returns at once."""
        self._orders.put(json.dumps(what) + "\n")

    def answers(self) -> list[dict[str, str]]:
        """What it has said since this was last asked."""
        found = []
        while not self._said.empty():
            found.append(self._said.get())
        return found

    def end(self, seconds: float) -> int | None:
        """Let it finish what it was told; its exit code, or None where it takes longer."""
        self._orders.put("")
        return self.wait(seconds)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None where it takes longer."""
        # Popen's own limit would ask twenty times a second.
        self._threads[1].join(seconds)
        return self._process.returncode

    def stop(self) -> bool:
        """End it, whatever it does; True where it had not ended by itself."""
        running = self._process.poll() is None
        if running:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._orders.put("")
        for thread in self._threads:
            thread.join()
        self._log.close()
        return running

    def last_words(self) -> str:
        """The last line of what it or a library wrote to standard error."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _feed(self, pipe: IO[str]) -> None:
        try:
            with pipe:
                while line := self._orders.get():
                    pipe.write(line)
                    pipe.flush()
        except OSError:
            return  # it has ended; its answers and its exit code say why

    def _listen(self, pipe: IO[str]) -> None:
        try:
            with pipe:
                for line in pipe:
                    self._said.put(json.loads(line))
        finally:
            self._process.wait()
