"""Run functions in processes that have never run the audited procedure before.

Memory that a procedure keeps in a module would otherwise pass from one test to the next.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from cytobench import plugins as plugin_root
from cytobench.core.errors import UsageError
from cytobench.core.threads import one_thread

PRELOADED = (
    "cytobench.audit.invariance", "pandas", "scipy.stats", "sklearn.calibration", "sklearn.compose",
    "sklearn.ensemble", "sklearn.impute", "sklearn.linear_model", "sklearn.pipeline",
    "sklearn.preprocessing", "sklearn.svm", "threadpoolctl",
)  # fmt: skip
"""What every fresh process needs anyway; loaded once where processes can be forked."""


@dataclass(frozen=True)
class Failure:
    """What a function raised, in words."""

    error: str


@dataclass(frozen=True)
class Errand:
    """A function and its arguments, all of which pickle."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


def run_fresh(
    errands: Sequence[Errand], *, workers: int = 1, preload: Sequence[str] = ()
) -> list[Any]:
    """The answers in order, each from a process of its own; a :class:`Failure` where it raised.

    Parameters
    ----------
    workers : int
        Processes at a time; each keeps to one thread.
    preload : sequence of str
        Further modules worth loading once; never the audited procedure's own.

    Raises
    ------
    UsageError
        ``E131`` where a function or argument cannot be sent to another process.
    """
    forked = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forked else "spawn")
    if forked:
        # The server forks from a process that has loaded these and run nothing.
        context.set_forkserver_preload([*PRELOADED, *preload])

    environment = dict(os.environ)
    carried_out = partial(_in_a_process, context, environment)
    payloads = [_packed(errand) for errand in errands]
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return list(pool.map(carried_out, payloads))


def _packed(errand: Errand) -> bytes:
    try:
        return pickle.dumps(errand)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise UsageError(
            "E131",
            f"cannot be sent to another process: {error}",
            where="the audited procedure",
            hint="define it at the top of a module, not inside a function",
        ) from error


def _in_a_process(context: Any, environment: dict[str, str], payload: bytes) -> Any:
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_carry_out, args=(there, environment, payload), daemon=True)
    process.start()
    there.close()
    with here:
        try:
            answer = here.recv()
        except EOFError:  # it was killed
            process.join()
            answer = Failure(f"its process ended with exit code {process.exitcode}")
    process.join()
    return answer


def _carry_out(answer_to: Connection, environment: dict[str, str], payload: bytes) -> None:
    """In the fresh process: run, and send back what came of it."""
    # The server that this process was forked from may be older than the plugin folders.
    os.environ.update(environment)
    plugin_root.refresh()
    with one_thread(), warnings.catch_warnings():
        # Warnings are the business of a run; an audit would repeat each a hundred times.
        warnings.simplefilter("ignore")
        try:
            errand: Errand = pickle.loads(payload)  # noqa: S301 - packed by the parent process
            answer = errand.function(*errand.arguments)
        except Exception as error:
            answer = Failure(f"{type(error).__name__}: {error}")
    answer_to.send(answer)
    answer_to.close()
