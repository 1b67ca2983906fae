"""What a process of a cluster does for a run: it is welcomed once, then carries out folds.

A worker may have other versions, another working directory, and have served another run before; it
is asked for all of that before its first fold.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import plugins as plugin_root
from cytobench.run.cells import DATA_ENVIRONMENT, forget
from cytobench.run.limits import Limits, guarded, undisturbed
from cytobench.run.provenance import framework_revision, versions

if TYPE_CHECKING:
    from cytobench.run.engine import Work

TOLD = (DATA_ENVIRONMENT, plugin_root.ENVIRONMENT)
"""What a worker takes over of the environment of the process that planned the run."""


@dataclass(frozen=True)
class Visit:
    """What a worker is told of a run before its first fold.

    Attributes
    ----------
    run : str
        Names this run among others that the same worker may serve.
    folder : str
        Working directory of the process that planned the run: plugins and tables are found in it.
    environment : mapping
        The variables of `TOLD` that are set there.
    salt : bytes
        The run store's salt for pseudonyms.
    limits : Limits
        What one fold may take.
    versions : mapping
        Of the packages that predictions depend on, there.
    revision : str
        Of the framework, there.
    own : bool
        Whether the worker was started by the run, and ends with it.
    """

    run: str
    folder: str
    environment: Mapping[str, str]
    salt: bytes
    limits: Limits
    versions: Mapping[str, str]
    revision: str
    own: bool


@dataclass(frozen=True)
class Reply:
    """A worker's answer to its welcome: why it cannot do the work; empty where it can."""

    unfit: str = ""


@dataclass(frozen=True)
class Done:
    """What comes back of a spec.

    Attributes
    ----------
    worker : str
        Address of the one that did it.
    outcome : object
    stranger : bool
        There is none, since this worker was not welcomed yet.
    """

    worker: str
    outcome: Any = None
    stranger: bool = False


def visit_of_here(run: str, salt: bytes, limits: Limits, *, own: bool) -> Visit:
    """What workers are told by this process."""
    told = {name: os.environ[name] for name in TOLD if name in os.environ}
    return Visit(
        run, str(Path.cwd()), told, salt, limits, versions(), framework_revision(), own=own
    )


_visits: dict[str, Visit] = {}
_inside: list[str] = []
"""The run whose folder and plugins this process has taken on."""
_alone = threading.Lock()
"""Folder, environment and BLAS threads belong to the process: one fold at a time."""


def welcome(visit: Visit) -> Reply:
    """Get ready for a run, or say why not; carried out in the worker."""
    if visit.own:
        # Ctrl-C reaches every process of the terminal; the parent decides what becomes of this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    here = {**versions(), "framework": framework_revision()[:12]}
    there = {**visit.versions, "framework": visit.revision[:12]}
    other = [
        f"{name} {here[name]}, not {there[name]}" for name in there if here[name] != there[name]
    ]
    if other:
        return Reply(f"it has {', '.join(other)}")
    if not Path(visit.folder).is_dir():
        return Reply(f"it has no folder {visit.folder}")
    if visit.limits.any and multiprocessing.current_process().daemon:
        return Reply(
            "it may start no process that a limit could stop: start workers with "
            "DASK_DISTRIBUTED__WORKER__DAEMON=False"
        )
    _visits[visit.run] = visit
    return Reply()


def attempt(spec: Work, run: str) -> Done:
    """Do the work of a run that this process was welcomed to; carried out in the worker."""
    from distributed import get_worker

    worker, visit = str(get_worker().address), _visits.get(run)
    if visit is None:
        return Done(worker, stranger=True)
    with _alone:
        _enter(visit)
        if not visit.limits.any:
            return Done(worker, undisturbed(spec, visit.salt))
        ((_, outcome),) = guarded([spec], 1, visit.salt, visit.limits, lambda spec: spec)
        return Done(worker, outcome)


def _enter(visit: Visit) -> None:
    """Take on a run's folder and environment, and forget what an earlier one has loaded."""
    if _inside == [visit.run]:
        return
    os.chdir(visit.folder)
    for name in TOLD:
        os.environ.pop(name, None)
    os.environ.update(visit.environment)
    # The same file may have been edited since; a module that is loaded would not show it.
    for name in [name for name in sys.modules if name.startswith(plugin_root.__name__ + ".")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    plugin_root.refresh()
    forget()
    _inside[:] = [visit.run]
