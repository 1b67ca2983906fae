"""What an audit finds, the register of its checks, and acknowledgements.

Help texts and documentation are made from the register, so they name the checks that are run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cytobench.core.errors import UsageError, did_you_mean

Severity = Literal["block", "warning", "note"]
Subject = Literal["model", "cohort"]
SEVERITIES: tuple[Severity, ...] = ("block", "warning", "note")


@dataclass(frozen=True)
class Evidence:
    """What one check has seen; :class:`Check` adds its code and severity."""

    sentence: str
    where: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the scores has to know.

    Attributes
    ----------
    code : str
        ``A1xx`` speaks of a model or procedure, ``A2xx`` of a cohort.
    severity : {"block", "warning", "note"}
        A block makes scores meaningless unless somebody says why it does not.
    sentence : str
        Plain English with the numbers.
    where : str
        The column, site or rows at fault.
    values : mapping
        The numbers once more, for machines.
    """

    code: str
    severity: Severity
    sentence: str
    where: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hint(self) -> str:
        """The override that acknowledges it."""
        return f"audit.acknowledge.{self.code}='why it does not matter here'"


@dataclass(frozen=True)
class Check:
    """One entry of the register.

    Attributes
    ----------
    thorough : bool
        Left out where time is short: at the start of a run.
    function : callable
        Takes what is audited and yields :class:`Evidence` for each fault.
    """

    code: str
    title: str
    severity: Severity
    explanation: str
    subject: Subject
    thorough: bool
    function: Callable[[Any], Iterable[Evidence]]

    def __call__(self, audited: Any) -> Iterator[Finding]:
        """Yield the findings of this check."""
        for seen in self.function(audited):
            yield Finding(self.code, self.severity, seen.sentence, seen.where, seen.values)


_CHECKS: dict[str, Check] = {}
_MODULES = ("invariance", "statistical", "duplicates", "disguise", "confounding", "contract")


def check(
    code: str, title: str, severity: Severity, explanation: str, *, thorough: bool = False
) -> Callable[[Callable[[Any], Iterable[Evidence]]], Callable[[Any], Iterable[Evidence]]]:
    """Enter a function into the register; the function is returned unchanged."""
    subject: Subject = "model" if code.startswith("A1") else "cohort"

    def enter(
        function: Callable[[Any], Iterable[Evidence]],
    ) -> Callable[[Any], Iterable[Evidence]]:
        if code in _CHECKS and _CHECKS[code].title != title:
            raise ValueError(f"two checks have the code {code}")
        _CHECKS[code] = Check(code, title, severity, explanation, subject, thorough, function)
        return function

    return enter


def checks(subject: Subject | None = None) -> dict[str, Check]:
    """All checks by code, or those of one subject."""
    for name in _MODULES:
        importlib.import_module(f"cytobench.audit.{name}")
    return {
        code: _CHECKS[code]
        for code in sorted(_CHECKS)
        if subject is None or _CHECKS[code].subject == subject
    }


def acknowledged(
    findings: Sequence[Finding], reasons: Mapping[str, Any]
) -> tuple[list[Finding], list[Finding]]:
    """Part findings into those that stand open and those that somebody has answered for.

    Parameters
    ----------
    reasons : mapping
        Code -> why the finding does not matter here; a code without a finding is allowed.

    Returns
    -------
    open, acknowledged : lists of Finding

    Raises
    ------
    UsageError
        ``E130`` for a code that no check has, or an empty reason.
    """
    known = checks()
    for code, reason in reasons.items():
        where = f"audit.acknowledge.{code}"
        if code not in known:
            raise UsageError(
                "E130", f"no check has the code {code!r}", where=where,
                hint=did_you_mean(str(code), list(known)),
            )  # fmt: skip
        if not isinstance(reason, str) or not reason.strip():
            raise UsageError(
                "E130",
                f"needs a reason in words, not {reason!r}",
                where=where,
                hint=f"say why it does not matter here that: {known[code].explanation}",
            )
    answered = [finding for finding in findings if finding.code in reasons]
    return [finding for finding in findings if finding.code not in reasons], answered
