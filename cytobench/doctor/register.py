"""The register of what the doctor knows; help and docs/doctor.md are made from it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["breaks", "warning"]
AREAS: Mapping[str, str] = {
    "D1": "Python and its packages",
    "D2": "The machine",
    "D3": "The environment's variables",
    "D4": "Plugins and configuration",
    "D5": "The run store",
    "D6": "MLflow",
}
_MODULES = (
    "packages",
    "origins",
    "machine",
    "folders",
    "variables",
    "extensions",
    "store",
    "mirror",
)


@dataclass(frozen=True)
class Situation:
    """Where a command would run: what its checks look at.

    Attributes
    ----------
    environment : mapping
        Variables.
    folder : Path
        The working directory.
    settings : mapping
        ``store``, ``tracking``, ``engine`` and ``data`` as a run would have them.
    problem : str
        Why the configuration cannot be composed, where it cannot; `settings` then are few.
    """

    environment: Mapping[str, str]
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def store(self) -> Path:
        """The run store."""
        return self.folder / Path(str(self.settings.get("store", "runs"))).expanduser()

    @property
    def tracking(self) -> Mapping[str, Any]:
        """The composed ``tracking`` node."""
        found = self.settings.get("tracking", {})
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Symptom:
    """What one check has seen; :class:`Check` adds its code and severity.

    Attributes
    ----------
    sentence : str
        What is wrong.
    where : str
        The file, variable or package at fault.
    hint : str
        What to do about it.
    """

    sentence: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """A known misconfiguration that is there.

    Attributes
    ----------
    code : str
        Stable; the first digit names the area.
    severity : {"breaks", "warning"}
        Whether runs fail, or only suffer.
    """

    code: str
    severity: Severity
    sentence: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Check:
    """One entry of the register.

    Attributes
    ----------
    explanation : str
        What it does to a run.
    """

    code: str
    title: str
    severity: Severity
    explanation: str
    function: Callable[[Situation], Iterable[Symptom]]

    def __call__(self, situation: Situation) -> Iterator[Finding]:
        """Yield what this check finds."""
        for seen in self.function(situation):
            yield Finding(self.code, self.severity, seen.sentence, seen.where, seen.hint)


_CHECKS: dict[str, Check] = {}
Function = Callable[[Situation], Iterable[Symptom]]


def check(
    code: str, title: str, severity: Severity, explanation: str
) -> Callable[[Function], Function]:
    """Enter a function into the register; the function is returned unchanged."""

    def enter(function: Function) -> Function:
        if code in _CHECKS and _CHECKS[code].title != title:
            raise ValueError(f"two checks have the code {code}")
        _CHECKS[code] = Check(code, title, severity, explanation, function)
        return function

    return enter


def checks() -> dict[str, Check]:
    """All checks by code."""
    for name in _MODULES:
        importlib.import_module(f"cytobench.doctor.{name}")
    return {code: _CHECKS[code] for code in sorted(_CHECKS)}
