"""Where results come from: versions, source revisions, the command that repeats a run."""

from __future__ import annotations

import platform
import re
import shlex
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cytobench import __version__
from cytobench.core.hashing import digest, file_digest
from cytobench.core.secrets import HIDDEN, without_secrets
from cytobench.registry.extras import distributions, installed

PACKAGE = Path(__file__).resolve().parent.parent
DECIDING = (
    "batched",
    "core/seeds.py",
    "data/arms.py",
    "data/target.py",
    "evaluate/benefit/scores.py",
    "evaluate/metrics.py",
    "preprocess",
    "registry/load.py",
    "run/benefit_fold.py",
    "run/fold.py",
    "run/inner.py",
    "run/nuisance.py",
    "run/outer_fold.py",
    "run/parts.py",
    "run/predicted.py",
    "splits",
    "torch",
    "tuning.py",
)
"""The framework's sources that decide predictions; cohort and splits have their own hashes."""
OF_WORKERS = re.compile(r"^(\+{0,2}engine\.env[\w.]*=)(?!\$\{[^}]*\}$).*", re.DOTALL)
"""An override of the variables of workers, one interpolation excepted."""


@lru_cache
def versions(*extras: str) -> dict[str, str]:
    """Versions of the packages that predictions depend on, with those of a plugin's extras."""
    found = {"cytobench": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "scikit-learn", "optuna", *extras):
        found |= installed(name) or dict.fromkeys(distributions(name), "absent")
    return found


@lru_cache
def framework_revision() -> str:
    """Sha256 over the sources that decide predictions.

    An edited framework thus never passes stored results off as its own.
    """
    files: list[Path] = []
    for name in DECIDING:
        path = PACKAGE / name
        files += sorted(path.glob("*.py")) if path.is_dir() else [path]
    return digest({str(file.relative_to(PACKAGE)): file_digest(file) for file in files})


@lru_cache
def git_commit() -> str:
    """Commit of the working directory's repository, ``-dirty`` where it has changes; or nothing."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if not head:
        return ""
    return head + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def command_line(overrides: Sequence[str]) -> str:
    """The command that repeats a run; it is shown and stored, so that passwords are left out.

    So is what workers get in their environment, under whatever name.
    """
    said = [OF_WORKERS.sub(rf"\1{HIDDEN}", override) for override in overrides]
    return shlex.join(["cytobench", "run", *map(without_secrets, said)])
