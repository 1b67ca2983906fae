"""The process that writes MLflow while a run goes on: told of cells on standard input.

A line of JSON says where the run store and MLflow are; each further line names a cell. Every answer
is a line too: ``{"open": address}`` once MLflow was reached, ``{"written": key}``, or ``{"error":
text}``, after which nothing more is written. It ends when its input does, so also when the process
that feeds it was killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from cytobench.core.errors import CytobenchError
from cytobench.run.store import RunStore
from cytobench.tracking.artifacts import import_what_draws
from cytobench.tracking.mirror import Mirror

NICE = 10
"""Fitting comes first where there are fewer cores than processes."""


def main() -> None:
    """Write what is asked for until there is no more of it."""
    # Ctrl-C reaches every process of the terminal; the run decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    if hasattr(os, "nice"):
        os.nice(NICE)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    first = sys.stdin.readline()
    if not first:
        return
    config = json.loads(first)
    try:
        _serve(Mirror(RunStore(Path(config["store"])), config), _orders(), answers)
    except CytobenchError as error:
        _answer(answers, {"error": str(error)})


def _end(number: int, frame: object) -> None:
    """Leave with everything tidied that is tidied on the way out."""
    del number, frame
    sys.exit()


def _orders() -> SimpleQueue[str]:
    """The lines of the input as they come; an empty one is its end."""
    orders: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            orders.put(line)
        orders.put("")

    threading.Thread(target=read, daemon=True).start()
    return orders


def _serve(mirror: Mirror, orders: SimpleQueue[str], answers: IO[str]) -> None:
    mirror.open()
    _answer(answers, {"open": mirror.uri})
    import_what_draws()
    while True:
        if orders.empty():  # names can wait for a pause
            mirror.settle()
        line = orders.get()
        if not line:
            mirror.finish()
            return
        order = json.loads(line)
        mirror.write(**order)
        _answer(answers, {"written": order["key"]})


def _answer(answers: IO[str], said: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the run was killed: what it asked for is written all the same
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main()
