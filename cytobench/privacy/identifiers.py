"""Who is named: identifiers, hashes that anybody can compute, patients without a pseudonym."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cytobench.privacy.codes import Leak
from cytobench.privacy.knowledge import PATIENT, WORD, Knowledge
from cytobench.privacy.material import Item
from cytobench.privacy.tables import Table

PSEUDONYM = re.compile(r"[0-9a-f]{16}")
HASH = re.compile(r"[0-9a-f]{12,64}")
"""Of fewer digits one is met by chance, in dates and numbers."""
STORED = re.compile(r"(?:^|/)(?:fold-\d+|folds/\d+)\.parquet$")
"""A fold of a run store, or of a bundle."""


def named(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Identifiers in texts, names of files and columns of patients."""
    text = f"{item.where}\n{item.text}"
    found = {word for raw in set(WORD.findall(text)) for word in _words(raw)} & known.words
    found |= {phrase for phrase in known.phrases if phrase in text}
    for table in item.tables:
        for name, values in table.columns.items():
            if PATIENT.search(name):
                found |= {str(value) for value in values} & known.identifiers.keys()
    for cohort in sorted({known.identifiers[name] for name in found}):
        count = sum(known.identifiers[name] == cohort for name in found)
        yield Leak("P101", f"{_patients(count)} of {cohort} by identifier", item.where)


def _words(raw: str) -> Iterator[str]:
    """A word and its parts: ``study:patient``, ``plot_patient.png``, the end of a sentence."""
    yield raw
    for apart in (r"[:@]", r"[:@_.]"):
        for part in re.split(apart, raw):
            yield part
            yield part.strip(".-+")


def guessable(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Hashes of identifiers that need no salt."""
    if not known.identifiers:
        return
    hashes: dict[int, set[str]] = {}
    for word in set(HASH.findall(item.text)):
        hashes.setdefault(len(word), set()).add(word)
    count = sum(len(words & known.guessable(length)) for length, words in hashes.items())
    if count:
        yield Leak("P102", f"{_patients(count)} by a hash without the salt", item.where)


def unnamed(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Patients of stored folds whose names are no pseudonyms."""
    if not STORED.search(item.where):
        return
    for table in item.tables:
        patients = [str(value) for value in table.columns.get("patient", ())]
        wrong = [name for name in patients if not PSEUDONYM.fullmatch(name)]
        if wrong:
            said = f"{len(wrong)} of {len(patients)} patients are no pseudonyms"
            yield Leak("P103", said, f"{table.where}, column patient")
            continue
        expected = known.expected(_fingerprint(item))
        others = 0 if expected is None else len(set(patients) - expected)
        if others:
            said = f"{others} of {len(patients)} pseudonyms are not those of the salt"
            yield Leak("P103", said, f"{table.where}, column patient")


def _fingerprint(item: Item) -> str:
    """Of the cohort that a fold of a run store is about; a bundle's names need no salt."""
    try:
        about: Any = json.loads((item.path.parent / "cell.json").read_text(encoding="utf-8"))
        return str(about["dataset"]["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def is_of_patients(table: Table, known: Knowledge) -> bool:
    """Whether a table has a row for each patient: by a column's title, or by the number of rows."""
    return any(PATIENT.search(name) for name in table.columns) or (
        len(table) in known.sizes and len(table.columns) > 1
    )


def texts(values: Sequence[Any]) -> list[str]:
    """The values of a column that are words."""
    return [value for value in values if isinstance(value, str) and value.strip()]


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"
