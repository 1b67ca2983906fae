"""The process that checks are made in: they may hang, kill it, print, and leave others behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cytobench import plugins as plugin_root
from cytobench.audit.isolation import PRELOADED
from cytobench.check.register import NotTestable, checks
from cytobench.check.subject import Subject, Target, spoken
from cytobench.core.threads import one_thread

EXCUSES = "excuses"
"""Asks for what the plugin's card excuses, as JSON."""
READY = "ready"
STARTING, ENDING = 120.0, 5.0
"""Seconds that the process may take for itself, with no plugin's code run."""


class Child:
    """A child process that makes checks, one for each :meth:`answer`.

    It leads a process group, so that whatever a check has started ends with it.
    """

    def __init__(self, target: Target) -> None:
        forked = "forkserver" in multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("forkserver" if forked else "spawn")
        if forked:
            context.set_forkserver_preload([*PRELOADED])
        # A short name: processes that checks start have sockets in it, whose paths must be short.
        self.temporary = tempfile.TemporaryDirectory(prefix="cb-", ignore_cleanup_errors=True)
        self.pipe, there = context.Pipe()
        folders = (str(Path.cwd()), self.temporary.name)
        # Not a daemon: checks start processes of their own.
        self.process = context.Process(
            target=_serve, args=(there, dict(os.environ), folders, target)
        )
        self.process.start()
        there.close()
        self.lost = False
        self.started = False

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self.pipe.close()
        if self.lost or kind is not None or not wait([self.process.sentinel], ENDING):
            self._kill()
        self.process.join()
        self.temporary.cleanup()

    def _kill(self) -> None:
        if self.started and hasattr(os, "killpg"):
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return  # nobody is left
        else:
            self.process.kill()

    def answer(self, code: str, seconds: float) -> tuple[str, str]:
        """Status and message of a check; ``lost`` is set where the child gave none."""
        if not self.started:
            _, problem = self._received(STARTING)
            if self.lost:
                return "failed", problem
            self.started = True
        try:
            self.pipe.send(code)
        except OSError:
            self.lost = True
            return "failed", "its process has ended"
        return self._received(seconds)

    def _received(self, seconds: float) -> tuple[str, str]:
        self.lost = True
        if not self.pipe.poll(seconds):
            return "failed", f"it took longer than {seconds:g} s and was stopped"
        try:
            status, message = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            return "failed", f"its process ended with exit code {self.process.exitcode}"
        self.lost = False
        return str(status), str(message)


def _serve(
    parent: Connection, environment: dict[str, str], folders: tuple[str, str], target: Target
) -> None:
    """In the child: make the checks that are asked for, and tell of each."""
    folder, tempfile.tempdir = folders
    if hasattr(os, "setsid"):
        os.setsid()
    sys.stdout.flush()
    os.dup2(2, 1)  # standard output is for results, and a plugin may print
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    plugin_root.refresh()
    subject, every = Subject(target), checks()
    parent.send((READY, ""))
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            try:
                code = parent.recv()
            except EOFError:
                return
            answer = _excuses(subject) if code == EXCUSES else _made(every[code].function, subject)
            os.chdir(folder)
            parent.send(answer)


def _made(function: Callable[[Any], Iterator[str]], subject: Subject) -> tuple[str, str]:
    try:
        faults = list(function(subject))
    except NotTestable as error:
        return "skipped", str(error)
    except BaseException as error:
        return "failed", spoken(error)
    return ("failed", "; ".join(faults)) if faults else ("passed", "")


def _excuses(subject: Subject) -> tuple[str, str]:
    try:
        return "passed", json.dumps(dict(subject.card.excused))
    except NotTestable as error:
        return "skipped", str(error)
