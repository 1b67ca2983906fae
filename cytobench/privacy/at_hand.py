"""The cohorts of a folder, loaded where they are at hand, and the salt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cytobench.config import compose_jobs
from cytobench.core.errors import CytobenchError, UsageError
from cytobench.data.cohort import Cohort
from cytobench.privacy.codes import Leak
from cytobench.privacy.files import SALT, is_salt
from cytobench.privacy.material import Item, items
from cytobench.run.cells import load_cohort
from cytobench.run.stored import salt_in


def salt_at(folder: Path, named: str | None) -> bytes | None:
    """The salt of a run store: from the file that is named, else from the store; None without.

    Raises
    ------
    UsageError
        ``E132`` for a file that is no salt.
    """
    path = folder / SALT if named is None else Path(named)
    if named is None and not path.is_file():
        return None
    content = path.read_bytes() if path.is_file() else None
    if not is_salt(Item(SALT, path, content)):
        raise UsageError("E132", "is no salt of a run store", where=str(path))
    return salt_in(path)


def cohorts_at_hand(folder: Path, overrides: Sequence[str]) -> tuple[list[Cohort], list[Leak]]:
    """The cohorts that a folder's cells are about, as they are configured here.

    Parameters
    ----------
    overrides : sequence of str
        How they are configured; ``dataset=NAME`` adds one.

    Returns
    -------
    cohorts
    notes
        Of those that are not at hand, or others here.
    """
    stated = _stated(folder)
    for text in overrides:
        if text.startswith("dataset="):
            stated.setdefault(text.partition("=")[2], set())
    rest = [text for text in overrides if not text.startswith("dataset=")]
    cohorts: list[Cohort] = []
    notes: list[Leak] = []
    for name, fingerprints in sorted(stated.items()):
        try:
            (config, *_) = compose_jobs([f"dataset={name}", *rest])
            cohort = load_cohort(config["dataset"], config["data"])
        except CytobenchError as error:
            said = f"{name}: identifiers were not looked for ([{error.code}])"
            notes.append(Leak("P151", said, "."))
            continue
        cohorts.append(cohort)
        if fingerprints - {cohort.fingerprint}:
            said = f"{name} is another here: its pseudonyms were not compared"
            notes.append(Leak("P151", said, "."))
    return cohorts, notes


def _stated(folder: Path) -> dict[str, set[str]]:
    """Dataset -> fingerprints, of every cell of stores and bundles in a folder."""
    found: dict[str, set[str]] = {}
    for item in _cells(folder):
        about = item.document
        about = about.get("about", about) if isinstance(about, Mapping) else {}
        card: Any = about.get("dataset")
        if isinstance(card, Mapping) and isinstance(card.get("name"), str):
            found.setdefault(card["name"], set()).add(str(card.get("fingerprint", "")))
    return found


def _cells(folder: Path) -> Iterator[Item]:
    return (item for item in items(folder) if item.name == "cell.json")
