"""Run checks in a process of their own, one after another, each under a time limit."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from cytobench import plugins as plugin_root
from cytobench.audit.isolation import PRELOADED
from cytobench.check.register import Check, NotTestable, checks
from cytobench.check.subject import Subject, Target, spoken
from cytobench.core.errors import UsageError, did_you_mean
from cytobench.registry.declared import declared
from cytobench.registry.discover import Kind, discover

Status = Literal["passed", "failed", "warned", "skipped", "excused"]
SECONDS = 120.0
"""For a single check."""
NO_LONGER, UNKNOWN = "CB110", "CB111"
"""Codes of the two findings about excuses, which the runner makes itself."""


@dataclass(frozen=True)
class Result:
    """What came of one check.

    Attributes
    ----------
    message : str
        Every fault in a sentence, the reason of a skip, or that of an excuse.
    """

    code: str
    title: str
    status: Status
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """All results on one plugin."""

    kind: Kind
    name: str
    origin: str
    results: Sequence[Result] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(result.status != "failed" for result in self.results)

    def count(self, status: Status) -> int:
        """How many results have this status."""
        return sum(result.status == status for result in self.results)

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.name} ({self.origin})"]
        lines += [
            f"  {result.code} {result.status}: {result.title}: {result.message}"
            for result in self.results
            if result.status in ("failed", "warned")
        ]
        counts = [
            f"{self.count(status)} {status}"
            for status in ("passed", "failed", "warned", "excused", "skipped")
            if self.count(status)
        ]
        return "\n".join([*lines, "  " + ", ".join(counts)])


def run_checks(
    name: str,
    *,
    kind: Kind | None = None,
    fast: bool = False,
    only: Sequence[str] = (),
    seconds: float = SECONDS,
) -> Report:
    """Check a plugin.

    Parameters
    ----------
    name : str
        Its name, or the path of its file.
    kind : {"model", "dataset"}, optional
        Needed where a model and a dataset share the name.
    fast : bool
        Leave out the probes that take longest.
    only : sequence of str
        Beginnings of codes: ``["CB2"]``.
    seconds : float
        Limit for one check.

    Raises
    ------
    UsageError
        ``E145`` where nothing is called so, ``E146`` for codes that no check has.
    """
    with reachable(name) as plugin:
        target = locate(plugin, kind)
        target = Target(target.kind, target.name, target.table, fast)
        asked = chosen(target.kind, only)
        results = list(_carried_out(target, asked, seconds))
        results = _excused(target, results, list(checks()), complete=not only)
        return Report(target.kind, target.name, _origin(target), results)


def chosen(kind: Kind, only: Sequence[str]) -> list[Check]:
    """The checks of this kind whose codes begin so.

    Raises
    ------
    UsageError
        ``E146`` where there is none.
    """
    every = checks(kind)
    found = [item for code, item in every.items() if not only or code.startswith(tuple(only))]
    if not found and not any(code.startswith(tuple(only)) for code in checks()):
        raise UsageError(
            "E146",
            f"no check begins with {', '.join(only)}",
            where="--only",
            hint="cytobench check --list",
        )
    return found


def locate(name: str, kind: Kind | None = None) -> Target:
    """The plugin, or the dataset's YAML, of this name.

    Raises
    ------
    UsageError
        ``E145`` where there is none, or one of each kind.
    """
    kinds: tuple[Kind, ...] = ("model", "dataset") if kind is None else (kind,)
    found = [Target(item, name) for item in kinds if name in discover(item)]
    if not found and "dataset" in kinds and name in declared("dataset"):
        return Target("dataset", name, table=True)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            "E145", f"a model and a dataset are called {name!r}", hint="say which: --kind model"
        )
    known = [*discover("model"), *discover("dataset"), *declared("dataset")]
    raise UsageError(
        "E145", f"no plugin is called {name!r}", hint=did_you_mean(name, sorted(known))
    )


@contextmanager
def reachable(name: str) -> Iterator[str]:
    """The name of a plugin; for a path, with its file among the plugin folders meanwhile."""
    path = Path(name)
    if path.suffix != ".py":
        yield name
        return
    if not path.is_file():
        raise UsageError("E145", "there is no such file", where=name)
    before = os.environ.get(plugin_root.ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="cytobench-check-") as folder:
        try:
            if not _found(path):
                root = _root(path, Path(folder))
                named = [str(root), *([before] if before else [])]
                os.environ[plugin_root.ENVIRONMENT] = os.pathsep.join(named)
                plugin_root.refresh()
            yield _name_in(path)
        finally:
            if before is None:
                os.environ.pop(plugin_root.ENVIRONMENT, None)
            else:
                os.environ[plugin_root.ENVIRONMENT] = before
            plugin_root.refresh()


def _found(path: Path) -> bool:
    resolved = path.resolve()
    return any(resolved.parent.parent == root for root in plugin_root.folders()) and (
        resolved.parent.name in ("models", "datasets")
    )


def _root(path: Path, folder: Path) -> Path:
    """A plugin folder with the file: its own where it lies in one, else one with a copy.

    A copy, since the folder of an arbitrary file may hold anything, which would be listed too.
    """
    if path.resolve().parent.name in ("models", "datasets"):
        return path.resolve().parent.parent
    text = path.read_text(encoding="utf-8", errors="replace")
    kind = "datasets" if "@dataset" in text else "models"
    (folder / kind).mkdir()
    shutil.copy(path, folder / kind / path.name)
    return folder


def _name_in(path: Path) -> str:
    """The plugin that this file declares; its stem where it declares none."""
    for kind in ("model", "dataset"):
        for name, plugin in discover(kind).items():
            origin = plugin.origin.rpartition(":")[0] or plugin.origin
            if Path(origin).name == path.name and _same(Path(origin), path):
                return name
    return path.stem


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _origin(target: Target) -> str:
    if target.table:
        return declared("dataset")[target.name]["origin"]
    return discover(target.kind)[target.name].origin


def _carried_out(target: Target, asked: Sequence[Check], seconds: float) -> Iterator[Result]:
    """Results in order; a check that hangs or kills its process costs itself only."""
    left = list(asked)
    while left:
        with _Process(target, [item.code for item in left]) as process:
            while left:
                item = left[0]
                started = time.monotonic()
                answer = process.answer(seconds)
                left.pop(0)
                taken = time.monotonic() - started
                if isinstance(answer, str):
                    yield _result(item, "failed", answer, taken)
                    break  # a fresh process for the rest
                status, message = answer
                yield _result(item, status, message, taken)


def _result(item: Check, status: str, message: str, seconds: float) -> Result:
    if status == "failed" and item.severity == "warning":
        status = "warned"
    return Result(item.code, item.title, status, message, seconds)  # type: ignore[arg-type]


class _Process:
    """A child that makes checks one after another and answers after each."""

    def __init__(self, target: Target, codes: Sequence[str]) -> None:
        forked = "forkserver" in multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("forkserver" if forked else "spawn")
        if forked:
            context.set_forkserver_preload([*PRELOADED])
        self.pipe, there = context.Pipe(duplex=False)
        environment, folder = dict(os.environ), str(Path.cwd())
        arguments = (there, environment, folder, target, list(codes))
        # Not a daemon: checks start processes of their own.
        self.process = context.Process(target=_serve, args=arguments)
        self.process.start()
        there.close()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()

    def answer(self, seconds: float) -> tuple[str, str] | str:
        """Status and message of the next check; a text where the process gave none."""
        if not self.pipe.poll(seconds):
            return f"it took longer than {seconds:g} s and was stopped"
        try:
            status, message = self.pipe.recv()
        except EOFError:
            self.process.join()
            return f"its process ended with exit code {self.process.exitcode}"
        return str(status), str(message)


def _serve(
    answer_to: Connection,
    environment: dict[str, str],
    folder: str,
    target: Target,
    codes: Sequence[str],
) -> None:
    """In the child: make the checks and tell of each."""
    from threadpoolctl import threadpool_limits

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    plugin_root.refresh()
    subject = Subject(target)
    every = checks()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for code in codes:
            answer_to.send(_made(every[code].function, subject))
    answer_to.close()


def _made(function: Callable[[Any], Iterator[str]], subject: Subject) -> tuple[Status, str]:
    try:
        faults = list(function(subject))
    except NotTestable as error:
        return "skipped", str(error)
    except BaseException as error:
        return "failed", spoken(error)
    return ("failed", "; ".join(faults)) if faults else ("passed", "")


def _excused(
    target: Target, results: Sequence[Result], known: Sequence[str], *, complete: bool
) -> list[Result]:
    """Failures that the card excuses, and what is wrong with the excuses."""
    plugin = discover(target.kind).get(target.name)
    excused = dict(plugin.card.excused) if plugin is not None and plugin.card else {}
    found = []
    for result in results:
        if result.status in ("failed", "warned") and result.code in excused:
            message = f"{excused[result.code]} ({result.message})"
            result = Result(result.code, result.title, "excused", message, result.seconds)
        found.append(result)
    by_code = {result.code: result for result in found}
    for code in excused:
        if code not in known:
            text = f"excused={{{code!r}: ...}}: no check has this code"
            found.append(Result(UNKNOWN, "excuses name checks that there are", "failed", text))
        elif complete and code in by_code and by_code[code].status == "passed":
            text = f"{code} passes: remove its excuse"
            found.append(Result(NO_LONGER, "excuses are needed", "warned", text))
    return found
