"""Run checks in a process of their own, one after another, each under a time limit."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cytobench.check.child import EXCUSES, Child
from cytobench.check.reach import locate, origin, reachable
from cytobench.check.register import Check, checks
from cytobench.check.subject import Target
from cytobench.core.errors import UsageError
from cytobench.registry.discover import Kind, discover

Status = Literal["passed", "failed", "warned", "skipped", "excused"]
SECONDS = 120.0
"""For a single check."""
FAILED = "has failed"
"""What a check that is skipped for another says behind the other's code."""
NO_LONGER, UNKNOWN = EXCUSE_CODES = ("CB110", "CB111")
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

    @property
    def after(self) -> str:
        """The check because of whose failure this one was skipped; empty where there is none."""
        code, _, said = self.message.partition(" ")
        return code if (self.status, said) == ("skipped", FAILED) else ""


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
        target = locate(plugin.name, kind or plugin.kind)
        target = Target(target.kind, target.name, target.table, fast)
        asked = chosen(target.kind, only)
        results = [
            replace(result, message=plugin.told(result.message))
            for result in _carried_out(target, asked, seconds)
        ]
        excuses = _excuses(target, seconds)
        return Report(
            target.kind, target.name, plugin.told(origin(target)), _excused(excuses, results)
        )


def chosen(kind: Kind, only: Sequence[str]) -> list[Check]:
    """The checks of this kind whose codes begin so.

    Raises
    ------
    UsageError
        ``E146`` where no check of any kind has such a code.
    """
    for beginning in only:
        if not any(code.startswith(beginning) for code in (*checks(), *EXCUSE_CODES)):
            raise UsageError(
                "E146",
                f"no check begins with {beginning}",
                where="--only",
                hint="cytobench check --list",
            )
    return [item for code, item in checks(kind).items() if not only or code.startswith(tuple(only))]


def _carried_out(target: Target, asked: Sequence[Check], seconds: float) -> Iterator[Result]:
    """Results in order; a check that hangs or kills its process costs itself and what needs it."""
    left = list(asked)
    causes: dict[str, str] = {}
    while left:
        with Child(target) as child:
            while left and not child.lost:
                item = left.pop(0)
                if item.after in causes:
                    causes[item.code] = causes[item.after]
                    yield _result(item, "skipped", f"{causes[item.code]} {FAILED}", 0.0)
                    continue
                started = time.monotonic()
                status, message = child.answer(item.code, seconds)
                if status == "failed":
                    causes[item.code] = item.code
                yield _result(item, status, message, time.monotonic() - started)


def _result(item: Check, status: str, message: str, seconds: float) -> Result:
    if status == "failed" and item.severity == "warning":
        status = "warned"
    return Result(item.code, item.title, status, message, seconds)  # type: ignore[arg-type]


def _excuses(target: Target, seconds: float) -> dict[str, str]:
    """Code -> reason as the plugin's card has them; that of a package is read in a child."""
    plugin = discover(target.kind).get(target.name)
    if plugin is None or plugin.problem:
        return {}
    if plugin.card is not None:
        return dict(plugin.card.excused)
    with Child(target) as child:
        status, message = child.answer(EXCUSES, seconds)
    return json.loads(message) if status == "passed" else {}


def _excused(excused: Mapping[str, str], results: Sequence[Result]) -> list[Result]:
    """Failures that the card excuses, and what is wrong with the excuses."""
    found = []
    for result in results:
        if result.status in ("failed", "warned") and result.code in excused:
            message = f"{excused[result.code]} ({result.message})"
            result = replace(result, status="excused", message=message)
        found.append(result)
    passed = {result.code for result in results if result.status == "passed"}
    idle = [code for code in excused if code in passed]
    if idle:
        text = f"without need for its excuse: {', '.join(idle)}"
        found.append(Result(NO_LONGER, "excuses are needed", "warned", text))
    unknown = [code for code in excused if code not in checks()]
    if unknown:
        text = f"no check is called {', '.join(unknown)}"
        found.append(Result(UNKNOWN, "excuses name checks that there are", "failed", text))
    return found
