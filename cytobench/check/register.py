"""The register of checks: help, documentation and runs are all made from it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
Subject = Literal["plugin", "model", "dataset"]
_MODULES = ("importing", "contract", "leakage", "cohorts", "solving")


class NotTestable(Exception):
    """Raised by a check that cannot be made here; its message says why."""


@dataclass(frozen=True)
class Check:
    """One entry of the register.

    Attributes
    ----------
    code : str
        ``CB1xx`` import and metadata, ``CB2xx`` contract, ``CB3xx`` leakage, ``CB4xx`` datasets,
        ``CB5xx`` solvers.
    title : str
        What holds where the check passes.
    severity : {"error", "warning"}
        A warning is shown and fails nothing.
    subject : {"plugin", "model", "dataset"}
        What it is made on; ``plugin`` is either.
    function : callable
        Takes the subject and yields a sentence for each fault. Its docstring explains the check.
    after : str
        Code of a check that has to pass first, if any: where it fails, this one could only fail of
        the same cause.
    """

    code: str
    title: str
    severity: Severity
    subject: Subject
    function: Callable[[Any], Iterator[str]]
    after: str = ""

    @property
    def explanation(self) -> str:
        """The function's docstring in one paragraph."""
        return " ".join((inspect.getdoc(self.function) or "").split())


_CHECKS: dict[str, Check] = {}

Function = Callable[[Any], Iterator[str]]


def check(
    code: str, title: str, subject: Subject, *, severity: Severity = "error", after: str = ""
) -> Callable[[Function], Function]:
    """Enter a function into the register; it is returned unchanged."""

    def enter(function: Function) -> Function:
        if code in _CHECKS and _CHECKS[code].title != title:
            raise ValueError(f"two checks have the code {code}")
        _CHECKS[code] = Check(code, title, severity, subject, function, after)
        return function

    return enter


def checks(kind: str | None = None) -> dict[str, Check]:
    """All checks by code, or those that are made on a ``model`` or a ``dataset``."""
    for name in _MODULES:
        importlib.import_module(f"cytobench.check.{name}")
    return {
        code: _CHECKS[code]
        for code in sorted(_CHECKS)
        if kind is None or _CHECKS[code].subject in (kind, "plugin")
    }
