"""Guarded worker processes: a fold that never ends, takes all memory or dies costs itself only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from cytobench import plugins as plugin_root
from cytobench.audit.isolation import PRELOADED
from cytobench.core.errors import UsageError
from cytobench.core.result import FoldFailure
from cytobench.core.stopping import ENDING, interruption
from cytobench.registry.load import place
from cytobench.run.lending import lent
from cytobench.run.local import attend, shared_folder

if TYPE_CHECKING:
    from cytobench.run.engine import Work

    Spec = TypeVar("Spec", bound=Work)

AHEAD = 2
"""Folds that are scheduled for each worker: none waits for this process to store one."""
GIGABYTE = 1024**3
NO_MEMORY = ("MemoryError", "bad_alloc", "allocate memory", "Cannot allocate", "bad allocation")
"""What numpy, C++ libraries and torch say where there is none left."""


@dataclass(frozen=True)
class Limits:
    """What one fold may take.

    Attributes
    ----------
    seconds : float or None
    memory_gb : float or None
        Beyond what its worker holds when the fold begins; 1 GB is 1024³ bytes.
    """

    seconds: float | None = None
    memory_gb: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.seconds is not None or self.memory_gb is not None


def limits_from_config(engine: Mapping[str, Any]) -> Limits:
    """Read ``fold_seconds`` and ``fold_memory_gb`` of an ``engine`` node.

    Raises
    ------
    UsageError
        ``E115`` for a limit that is no positive number, and for a limit of memory on a system that
        does not enforce it.
    """
    values = []
    for name in ("fold_seconds", "fold_memory_gb"):
        value = engine.get(name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (number and 0 < value < float("inf")):
            raise UsageError(
                "E115", f"must be a number above 0, or null, not {value!r}", where=f"engine.{name}"
            )
        values.append(None if value is None else float(value))
    limits = Limits(*values)
    if limits.memory_gb is not None and not sys.platform.startswith("linux"):
        raise UsageError(
            "E115",
            f"a limit of memory is enforced on Linux only, not on {sys.platform}",
            where="engine.fold_memory_gb",
            hint="fewer engine.workers leave more memory for each",
        )
    return limits


def guarded(
    specs: Sequence[Spec],
    workers: int,
    salt: bytes,
    limits: Limits,
    take: Callable[[Spec], Spec | None],
) -> Iterator[tuple[Spec, Any]]:
    """Do the work in processes that can be stopped and may die, yielding each as it ends.

    The pool replaces a worker that was stopped or died; whatever else it had to do is not lost.
    What `take` is asked: see :func:`cytobench.run.engine.run_folds`.
    """
    from pebble import ProcessPool

    forked = "forkserver" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if forked else "spawn")
    if forked:
        context.set_forkserver_preload([*PRELOADED, "cytobench.run.fold"])
    pool = ProcessPool(
        max_workers=workers,
        initializer=_prepare,
        initargs=(dict(os.environ), str(Path.cwd()), lent(), str(shared_folder())),
        context=context,
    )
    taken = (mine for spec in specs if (mine := take(spec)) is not None)
    futures: dict[Future[Any], Spec] = {}
    try:
        while True:
            for spec in islice(taken, AHEAD * workers - len(futures)):
                arguments = (spec, salt, limits.memory_gb)
                futures[pool.schedule(_within, args=arguments, timeout=limits.seconds)] = spec
            if not futures:
                break
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                spec = futures.pop(future)
                yield spec, _outcome(future, spec, limits)
        pool.close()
    finally:
        pool.stop()
        pool.join()


def _prepare(environment: dict[str, str], folder: str, cohorts: str, shared: str) -> None:
    """In a new worker: the parent's environment and folder, and what it lends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    attend(parent.join, cohorts, shared)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    plugin_root.refresh()


def _within(spec: Work, salt: bytes, memory_gb: float | None) -> Any:
    """Do the work in a worker, within its limit of memory."""
    if memory_gb is not None:
        import resource

        import pyarrow as pa

        # Arrow reserves a whole gigabyte when it is first used, and then uses little of it. Has to
        # come before the count, or the fold is left with nothing.
        pa.array([""])
        # Counted anew for each fold: what an earlier one left behind is not this one's.
        most = _data_in_use() + round(memory_gb * GIGABYTE)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    return undisturbed(spec, salt)


def _data_in_use() -> int:
    """Bytes of private writable memory of this process, as RLIMIT_DATA counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def undisturbed(spec: Work, salt: bytes) -> Any:
    """Do the work, and put back what a plugin may have changed of the process that others share.

    Whatever a plugin raises is a failure of its fold, a KeyboardInterrupt of its own included.

    Raises
    ------
    KeyboardInterrupt
        Where Ctrl-C was pressed or a signal asked for the end, even if a plugin swallowed it.
    """
    folder, environment = Path.cwd(), dict(os.environ)
    with _interrupts() as pressed:
        try:
            answer = spec.attempt(salt)
        except BaseException as error:
            # The error's own words may fail as well; these do not.
            text = traceback.format_exception_only(error)[-1].strip()
            answer = FoldFailure(spec.fold, text, place(error), traceback.format_exc())
        finally:
            os.chdir(folder)
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
    if pressed:
        raise interruption(pressed[-1])
    return answer


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Note every Ctrl-C or other request to end, which else looks like a plugin's exception."""
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDING)}
    before = {number: handler for number, handler in handlers.items() if callable(handler)}

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        before[signal.Signals(number)](number, frame)

    for number in before:
        signal.signal(number, note)
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(future: Future[Any], spec: Work, limits: Limits) -> Any:
    from pebble import ProcessExpired

    try:
        answer = future.result()
    except TimeoutError:
        return FoldFailure(
            spec.fold,
            f"[E241] the fold took longer than {limits.seconds:g} s and was stopped",
            "",
            "",
            "make fit faster, search a smaller space, or raise engine.fold_seconds",
        )
    except ProcessExpired as error:
        return FoldFailure(
            spec.fold, f"[E243] its process ended {_ending(error.exitcode)}", "", "", _why(limits)
        )
    if limits.memory_gb is None or not isinstance(answer, FoldFailure):
        return answer
    if not any(text in answer.error for text in NO_MEMORY):
        return answer
    said = f"[E242] needs more than the {limits.memory_gb:g} GB of memory that a fold may take"
    hint = "raise engine.fold_memory_gb, or give it less to do"
    return replace(answer, error=f"{said} ({answer.error})", hint=hint)


def _ending(code: int) -> str:
    with suppress(ValueError):
        if code < 0:
            return f"by signal {signal.Signals(-code).name}"
    return f"with exit code {code}"


def _why(limits: Limits) -> str:
    """What may have ended a process from outside, or inside a library."""
    if limits.memory_gb is not None:
        return "a crash inside a library, or no memory left: see engine.fold_memory_gb"
    return "a crash inside a library, or the system ran out of memory: try fewer engine.workers"
