"""What a plugin does to the process that it shares with others: output, settings, random states."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

UNUSUAL = 738_205_193
"""A seed that nobody takes: seeding to what is there already would not show."""
_USUAL_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@contextmanager
def overheard() -> Iterator[Callable[[], str]]:
    """Listen to standard output and standard error, C libraries' too.

    Yields
    ------
    callable
        What has been said so far.
    """
    _flush()
    with tempfile.TemporaryFile() as said:
        kept = {number: os.dup(number) for number in (1, 2)}

        def so_far() -> str:
            _flush()
            position = said.seek(0, os.SEEK_END)
            said.seek(0)
            return said.read(position).decode(errors="replace").strip()

        try:
            for number in kept:
                os.dup2(said.fileno(), number)
            yield so_far
        finally:
            _flush()
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run plugin code; warnings are not shown, and the working directory is as before after it."""
    folder = os.getcwd()  # noqa: PTH109 - a Path is of no use here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            os.chdir(folder)


@dataclass(frozen=True)
class Start:
    """Environment and search path as they are now."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    path: Sequence[str] = field(default_factory=lambda: tuple(sys.path))


def settings() -> dict[str, Any]:
    """What holds for the whole process, by name."""
    return {
        "the working directory": os.getcwd(),  # noqa: PTH109 - a Path is of no use here
        "the environment": dict(os.environ),
        "Python's search path": list(sys.path),
        "the filters of warnings": list(warnings.filters),
        "numpy's handling of errors": np.geterr(),
    }


@contextmanager
def as_at_first(start: Start) -> Iterator[Path]:
    """Settings in which a plugin's changes show, though it has been here and made them before.

    Parameters
    ----------
    start : Start
        Taken before the plugin was imported.

    Yields
    ------
    Path
        The working directory: an empty one.
    """
    folder, path, variables = os.getcwd(), list(sys.path), dict(os.environ)  # noqa: PTH109
    with (
        tempfile.TemporaryDirectory(prefix="cytobench-check-") as elsewhere,
        warnings.catch_warnings(),
        np.errstate(**_USUAL_ERRORS),  # type: ignore[arg-type]
    ):
        warnings.resetwarnings()
        os.chdir(elsewhere)
        sys.path[:] = start.path
        _set_environment(start.environment)
        try:
            yield Path(elsewhere)
        finally:
            os.chdir(folder)
            sys.path[:] = path
            _set_environment(variables)


def _set_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def seed_unusually() -> None:
    """Put the global random states where nobody else puts them."""
    np.random.seed(UNUSUAL)  # noqa: NPY002
    random.seed(UNUSUAL)
    torch = sys.modules.get("torch")
    if torch is not None:
        # Not torch.manual_seed(), which would start every accelerator.
        torch.random.default_generator.manual_seed(UNUSUAL)


def random_states() -> dict[str, Any]:
    """The global random states by name; PyTorch's where it is loaded."""
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    found: dict[str, Any] = {
        "numpy's global random state": (np.asarray(keys).tobytes(), int(position)),
        "Python's global random state": random.getstate(),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        found["PyTorch's global random state"] = torch.get_rng_state().numpy().tobytes()
    return found


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names whose values differ; what has come meanwhile is not compared."""
    return [name for name, value in before.items() if after[name] != value]
