"""Optional packages: which there are, which are absent, and how to get them."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from importlib.util import find_spec

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*extra == ['\"]([^'\"]+)['\"]")
NOT_MODELS = ("dask", "dev", "docs", "postgresql", "slurm", "ssh", "zoo")
"""Groups that are no plugin's `extra`: engines, tools, and all of the others together."""


@lru_cache
def groups() -> dict[str, tuple[str, ...]]:
    """Optional dependency groups of cytobench -> the distributions that each installs."""
    try:
        lines = requires("cytobench") or []
    except PackageNotFoundError:  # run from a source tree that was never installed
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        match = _REQUIREMENT.match(line)
        if match and match[2] not in NOT_MODELS:
            found[match[2]] = (*found.get(match[2], ()), match[1])
    return found


def distributions(extra: str) -> tuple[str, ...]:
    """What is installed for a plugin's `extra`: a group of ours, or else a package of that name."""
    return groups().get(_normalised(extra), (extra,))


def installed(extra: str) -> dict[str, str]:
    """The distributions that are there for a plugin's `extra` -> their versions.

    Whichever build of a package that is: XGBoost may be ``xgboost`` where a group of ours names
    ``xgboost-cpu``.
    """
    found = {name: there for name in distributions(extra) if (there := _version(name))}
    if len(found) < len(distributions(extra)):
        found |= {name: version(name) for name in packages_distributions().get(extra, ())}
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def absent(extra: str) -> bool:
    """Whether the package that the plugin imports cannot be found."""
    try:
        return find_spec(extra) is None
    except (ImportError, ValueError):
        return True


def install_hint(extra: str) -> str:
    """The command that installs it."""
    group = _normalised(extra)
    return f"pip install 'cytobench[{group}]'" if group in groups() else f"pip install {extra}"


def _normalised(extra: str) -> str:
    """A package's import name as metadata spell the group (PEP 685): with hyphens."""
    return re.sub(r"[-_.]+", "-", extra).lower()
