"""What a run shares with its worker processes of this machine, and how they end with it."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cytobench.run.lending import borrow, give_up, own_folder

ROOM = 16 * 1024**2
"""Bytes of answers of workers that wait to be read, at most."""


@cache
def shared_folder() -> Path:
    """The folder that this process shares with its workers; it names whose workers they were."""
    folder = own_folder(ROOM)
    atexit.register(give_up, str(folder))
    return folder


def attend(ended: Callable[[], object], cohorts: str, shared: str) -> None:
    """In a new worker: take what the run lends, and end with it; its process alone decides when.

    Parameters
    ----------
    ended : callable
        Returns when the run's process is gone.
    cohorts, shared : str
        What it lends from, see :func:`cytobench.run.lending.lent`, and its :func:`shared_folder`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal
    folders = (cohorts, shared)
    threading.Thread(target=_end_with, args=(ended, folders), daemon=True).start()
    borrow(cohorts)


def _end_with(ended: Callable[[], object], folders: tuple[str, ...]) -> None:
    """A run that was killed can stop nobody any more, and workers would not notice."""
    ended()
    for folder in folders:
        give_up(folder)
    os._exit(1)
