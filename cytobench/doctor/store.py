"""The run store's folder: written to, roomy, private, in time, and whole."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cytobench.core.errors import StoreError
from cytobench.doctor.folders import nearest, refusal
from cytobench.doctor.register import Situation, Symptom, check
from cytobench.run.claims import claimant, claimed
from cytobench.run.stored import salt_in

ROOM = 500 * 1024**2
"""Bytes: a suite's folds, its mirror and its pages stay below."""
FILES = 10_000
SKEW = 3.0
"""Seconds; some file systems count in twos."""
STALE = 3600.0
"""Seconds after which nobody is still writing a file of the store."""
SHOWN = 3
RESTORE = "restore it from a backup, or start another store: store=PATH"
AGAIN = "delete them; the same run computes again what they held"


@check(
    "D501", "the run store cannot be written", "breaks",
    "No fold can be stored: the run ends with E512.",
)  # fmt: skip
def unwritable(situation: Situation) -> Iterator[Symptom]:
    """Make a file in the store, or where it would be made, and ask for its folders."""
    hint = "give yourself the folder, or name another: store=PATH"
    place = nearest(situation.store)
    if said := refusal(place):
        yield Symptom(said, str(place), hint)
        return
    closed = [path for path in _within(situation.store) if path.is_dir() and not _open(path)]
    if closed:
        yield Symptom(f"{len(closed)} folders in it cannot be written", _few(closed), hint)


@check(
    "D502", "the run store's disk is nearly full", "warning",
    "A run stops where it is full; finished folds are kept.",
)  # fmt: skip
def nearly_full(situation: Situation) -> Iterator[Symptom]:
    """Ask for what is free, in bytes and in files."""
    place = nearest(situation.store)
    if (free := shutil.disk_usage(place).free) < ROOM:
        yield Symptom(
            f"{free / 1024**2:.0f} MiB are free", str(place), "make room, or say store=PATH"
        )
    if hasattr(os, "statvfs"):
        files = os.statvfs(place)
        if files.f_files and files.f_favail < FILES:
            yield Symptom(
                f"{files.f_favail} more files can be made", str(place),
                "delete small files on that disk, or say store=PATH",
            )  # fmt: skip


@check(
    "D503", "others can read the salt", "warning",
    "Whoever has the salt and a list of patients can tell which pseudonym is whose.",
)  # fmt: skip
def open_salt(situation: Situation) -> Iterator[Symptom]:
    """Look at the file's permissions."""
    salt = situation.store / "salt"
    if (
        os.name == "posix"
        and salt.is_file()
        and (mode := stat.S_IMODE(salt.stat().st_mode)) & 0o077
    ):
        yield Symptom(f"its permissions are {mode:o}", str(salt), f"chmod 600 {salt}")


@check(
    "D504", "the salt is damaged", "breaks",
    "Pseudonyms can be guessed, or patients of one store no longer match.",
)  # fmt: skip
def damaged_salt(situation: Situation) -> Iterator[Symptom]:
    """Read it, and see whether it is gone while there are results."""
    salt = situation.store / "salt"
    if salt.is_file():
        try:
            salt_in(salt)
        except StoreError as error:
            yield Symptom(f"[{error.code}] {error.message}", str(salt), RESTORE)
    elif not salt.exists() and any(situation.store.glob("*/fold-*.parquet")):
        yield Symptom("is missing, and there are results", str(salt), RESTORE)


@check(
    "D505", "clock and file system disagree", "warning",
    "What changed when is read wrongly: an edited plugin may be taken for the old one.",
)  # fmt: skip
def skewed_clock(situation: Situation) -> Iterator[Symptom]:
    """Write a file and compare its time with the clock."""
    place = nearest(situation.store)
    if refusal(place):
        return  # D501 says it
    with tempfile.TemporaryFile(dir=place, prefix=".doctor-") as file:
        file.write(b"now")
        file.flush()
        ahead = os.fstat(file.fileno()).st_mtime - time.time()
    if abs(ahead) > SKEW:
        way = "ahead of" if ahead > 0 else "behind"
        yield Symptom(
            f"files are {abs(ahead):.0f} s {way} this machine's clock", str(place),
            "set both clocks by NTP",
        )  # fmt: skip


@check(
    "D506", "files that nobody finished", "warning",
    "A process was killed while it wrote, or while it held folds. Drafts are never read and only "
    "take room; the next run takes over the claims of one that has ended.",
)  # fmt: skip
def unfinished(situation: Situation) -> Iterator[Symptom]:
    """Look for temporary files that are old, and for claims whose run is gone or silent."""
    before = time.time() - STALE
    left = [
        path
        for place in (situation.store, situation.store.parent)
        for path in _drafts(place, deep=place == situation.store)
        if path.stat().st_mtime < before
    ]
    if left:
        yield Symptom(f"{len(left)} temporary files are left", _few(left), "delete them")
    if stale := [path for path in claimed(situation.store) if _abandoned(path, before)]:
        yield Symptom(
            f"{len(stale)} claims of folds are left by runs that have ended", _few(stale),
            "harmless, the next run takes them over; delete them where none goes on",
        )  # fmt: skip


@check(
    "D507", "empty or missing files in the run store", "breaks",
    "A board that needs them ends with E510. A full disk or a copy that was cut off leaves such.",
)  # fmt: skip
def damaged_files(situation: Situation) -> Iterator[Symptom]:
    """Look for results without content, and for cells that are asked for and not described."""
    patterns = ("*/cell.json", "*/fold-*.parquet", "*/inner-*.parquet")
    empty = [
        path
        for pattern in patterns
        for path in sorted(situation.store.glob(pattern))
        if path.stat().st_size == 0
    ]
    if empty:
        yield Symptom(f"{len(empty)} files are empty", _few(empty), AGAIN)
    gone = [
        marker
        for marker in sorted((situation.store / "index").glob("*/*/*"))
        if marker.is_file()
        and not (situation.store / marker.read_text("utf-8") / "cell.json").is_file()
    ]
    if gone:
        yield Symptom(f"{len(gone)} cells are asked for and gone", _few(gone), AGAIN)


def _abandoned(claim: Path, before: float) -> bool:
    """Whether a claim's run has ended, where that can be seen, or has not counted since."""
    try:
        process = claimant(claim.read_bytes())
        return (process is not None and process.gone) or claim.stat().st_mtime < before
    except OSError:
        return False  # let go of in this moment


def _within(store: Path) -> Iterator[Path]:
    if store.is_dir():
        yield from store.iterdir()


def _open(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _drafts(place: Path, *, deep: bool) -> Iterator[Path]:
    """Temporary files of a store, or of the database beside it."""
    if deep:
        yield from sorted(place.rglob(".writing-*"))
    elif place.is_dir():
        yield from sorted(place.glob(".*.db.[0-9]*"))


def _few(paths: list[Path]) -> str:
    """The first of some paths."""
    more = len(paths) - SHOWN
    return ", ".join(map(str, paths[:SHOWN])) + (f" and {more} more" if more > 0 else "")
