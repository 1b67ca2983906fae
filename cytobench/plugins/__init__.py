"""The import root of drop-in plugins: ``cytobench.plugins.models.x`` is a file in a plugin folder.

A plugin thus has one importable name, and plain pickle works in worker processes and later ones.
"""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT = "CYTOBENCH_PLUGINS"
_PACKAGE = Path(__file__).resolve().parent.parent


def bundled(name: str) -> Path:
    """The folder ``conf`` or ``plugins`` that comes with cytobench, in the wheel or beside it."""
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def folders() -> list[Path]:
    """Plugin folders: the bundled one, ``./plugins``, and those of ``$CYTOBENCH_PLUGINS``."""
    named = os.environ.get(ENVIRONMENT, "").split(os.pathsep)
    candidates = [bundled("plugins"), Path.cwd() / "plugins", *(Path(f) for f in named if f)]
    found: list[Path] = []
    for candidate in candidates:
        folder = candidate.expanduser().resolve()
        if folder.is_dir() and folder not in found:
            found.append(folder)
    return found


def refresh() -> None:
    """Look the plugin folders up anew (the working directory or the environment has changed)."""
    __path__[:] = [str(folder) for folder in folders()]


refresh()
