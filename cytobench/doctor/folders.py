"""Folders that libraries write to: home, temporary files, matplotlib's cache."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cytobench.doctor.register import Situation, Symptom, check

ROOM = 200 * 1024**2
"""Bytes of temporary files that a run with MLflow and figures stays below."""
WRITABLE = "name a folder that can be written: export TMPDIR=PATH"


@check(
    "D211", "no folder for temporary files", "breaks",
    "Nothing can be stored: files are written whole beside their place, and figures drawn in a "
    "temporary folder.",
)  # fmt: skip
def no_temporary_files(situation: Situation) -> Iterator[Symptom]:
    """Write one where Python would."""
    del situation
    try:
        folder = tempfile.gettempdir()
    except OSError as error:
        yield Symptom(f"there is none: {error.strerror}", "TMPDIR", WRITABLE)
        return
    if said := refusal(Path(folder)):
        yield Symptom(f"{folder} {said}", "TMPDIR", WRITABLE)
        return
    if (free := shutil.disk_usage(folder).free) < ROOM:
        yield Symptom(
            f"{free / 1024**2:.0f} MiB are free", folder, "make room, or name another with TMPDIR"
        )


@check(
    "D212", "the home folder cannot be written", "warning",
    "Libraries keep settings and caches there; each of them warns, or makes its cache anew.",
)  # fmt: skip
def no_home(situation: Situation) -> Iterator[Symptom]:
    """Write a file there."""
    named = situation.environment.get("HOME") or str(Path.home())
    if said := refusal(Path(named)):
        yield Symptom(said, named, "name a folder of your own: export HOME=/tmp/$USER")


@check(
    "D213", "matplotlib's cache cannot be written", "warning",
    "Every process looks through all fonts again, which takes seconds, and warns.",
)  # fmt: skip
def no_font_cache(situation: Situation) -> Iterator[Symptom]:
    """Write a file where the list of fonts would be kept."""
    folder = _font_cache(situation)
    if said := refusal(nearest(folder)):
        yield Symptom(said, str(folder), "export MPLCONFIGDIR=/tmp/matplotlib-$USER")


def refusal(folder: Path) -> str:
    """Why no file can be made in a folder; empty where one can. It is gone again at once."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".doctor-"):
            return ""
    except OSError as error:
        return f"cannot be written: {error.strerror or error}"


def nearest(path: Path) -> Path:
    """The path itself, or the nearest of the folders above it that is there."""
    return next((place for place in (path, *path.parents) if place.exists()), path)


def _font_cache(situation: Situation) -> Path:
    """Where ``matplotlib.get_cachedir`` looks first."""
    if named := situation.environment.get("MPLCONFIGDIR"):
        return Path(named).expanduser()
    home = Path(situation.environment.get("HOME") or Path.home())
    if sys.platform.startswith(("linux", "freebsd")):
        base = situation.environment.get("XDG_CACHE_HOME") or str(home / ".cache")
        return Path(base) / "matplotlib"
    return home / ".matplotlib"
