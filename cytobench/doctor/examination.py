"""Runs every check of the register on one situation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.doctor.register import Check, Finding, Situation, checks

PLAIN: dict[str, Any] = {
    "store": "runs",
    "data": None,
    "tracking": {"name": "mlflow", "uri": "sqlite:///mlflow.db", "artifacts": "mlartifacts"},
    "engine": {"name": "joblib", "workers": None},
}
"""What is looked at where no configuration can be composed."""


def situation_of(overrides: Sequence[str]) -> Situation:
    """The situation of ``cytobench run`` with these overrides, here and now.

    Raises
    ------
    UsageError
        Where an override is wrong; a configuration that is wrong without any is a finding.
    """
    settings, problem = PLAIN, ""
    try:
        from cytobench.config import compose_jobs

        settings = compose_jobs(overrides)[0]
    except UsageError as error:
        if overrides:
            raise
        problem = str(error)
    except (CytobenchError, ImportError) as error:
        problem = f"{type(error).__name__}: {error}"
    return Situation(dict(os.environ), Path.cwd(), settings, problem)


def examine(situation: Situation) -> list[Finding]:
    """Every known misconfiguration that is there, what breaks runs first."""
    found = [finding for check in checks().values() for finding in _tried(check, situation)]
    return sorted(found, key=lambda finding: (finding.severity != "breaks", finding.code))


def _tried(check: Check, situation: Situation) -> list[Finding]:
    """What a check finds; one that fails says so, and hides no other."""
    try:
        return list(check(situation))
    except Exception as error:
        sentence = f"could not be looked at: {type(error).__name__}: {error}"
        return [Finding(check.code, "warning", sentence, check.title)]
