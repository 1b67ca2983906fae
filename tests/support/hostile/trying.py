"""Many examples of a family, within time and memory, and what came of each, counted."""

from __future__ import annotations

import resource
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from support.hostile.answers import Answer, Family

SECONDS = 20
"""Of computing, for one example; most take some milliseconds."""
GIGABYTES = 4
"""Of addresses beyond those that the process has when it begins."""
LATER = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much,
         HealthCheck.function_scoped_fixture, HealthCheck.large_base_example]  # fmt: skip


class Hang(BaseException):
    """An example took too long; no `except Exception` keeps it from being seen."""


@dataclass
class Tally:
    """How often what came of a family's examples.

    Attributes
    ----------
    uncaught : Counter
        Kind of error and the place that it came from -> how often.
    first : dict
        The same -> the traceback of its first example.
    """

    tried: int = 0
    refused: int = 0
    right: int = 0
    read: int = 0
    uncaught: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[None]:
    """Within time of computing, however busy the machine; a loop is interrupted where it is."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds} seconds of computing")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def memory(gigabytes: float = GIGABYTES) -> Iterator[None]:
    """Within memory: beyond it an allocation fails."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def attempt(act: Callable[[Any, Path], Answer], given: Any, tally: Tally) -> None:
    """One example in a folder of its own; what is uncaught is counted."""
    try:
        with tempfile.TemporaryDirectory() as folder, limited():
            found = act(given, Path(folder))
    except HypothesisException:
        raise
    except (Exception, Hang) as error:
        where = place(error)
        tally.tried += 1
        tally.uncaught[where] += 1
        tally.first.setdefault(where, "".join(traceback.format_exception(error)))
        return
    tally.tried += 1
    tally.refused += found is Answer.REFUSED
    tally.right += found is Answer.RIGHT
    tally.read += found is Answer.READ


def many(one: Family, examples: int, start: int = 0) -> Tally:
    """So many examples of a family; what is uncaught is counted, and the next is tried."""
    tally = Tally()

    @seed(start)
    @settings(max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=LATER)  # fmt: skip
    @given(data=st.data())
    def each(data: Any) -> None:
        attempt(one.attempt, data, tally)

    with memory():
        each()
    return tally


def place(error: BaseException) -> str:
    """``TypeError in readers.py:88``."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/cytobench/" in frame.filename] or frames
    return f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
