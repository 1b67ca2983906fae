"""A clean stop: what ends a process from outside arrives as an exception, as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDING = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
"""Sent by batch systems, shutdowns and ``kill``; by a terminal that is closed."""


class Stopped(KeyboardInterrupt):
    """A signal asked this process to end.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """What a shell shows of a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def interruption(number: int) -> KeyboardInterrupt:
    """The exception that a signal arrives as."""
    return KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise :class:`Stopped` where a signal would end this process with nothing tidied up.

    What the process was told to ignore (``nohup``) or handles by itself stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def end_at_once() -> None:
    """Of a process that is over: Ctrl-C while Python tidies up says nothing and waits for none."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise Stopped(number)
