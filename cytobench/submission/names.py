"""Who is who in a bundle: patients by their place in the split plan, and what is said of each.

A bundle's name for a patient is made of the cohort's fingerprint and the patient's place in the
order in which the plan tests patients. No identifier goes into it, so none can be guessed from it;
it is the same in every store, whatever its salt, and it binds each row to its cohort. It hides
nothing else: splits follow from the seed, which is public, so that whoever knows the order of the
table's rows can tell which row is which. The docs say so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from cytobench.core.result import FoldResult
from cytobench.evaluate.subgroup import FEWEST


def exchange_name(fingerprint: str, place: int) -> str:
    """The name of the patient at a place of the plan's order, 16 hexadecimal digits."""
    return hashlib.sha256(f"{fingerprint}/{place}".encode()).hexdigest()[:16]


def places(folds: Sequence[FoldResult]) -> dict[str, int]:
    """Patient, as these folds name him -> place in the order in which they test."""
    found: dict[str, int] = {}
    for fold in sorted(folds, key=lambda fold: fold.fold):
        for patient in fold.predictions.patient:
            found.setdefault(patient, len(found))
    return found


def shareable_groups(folds: Sequence[FoldResult]) -> list[str]:
    """The subgroup variables that may leave the machine together.

    They are taken one after another as long as every combination of their levels that occurs has at
    least ten patients: nobody is alone with what is said of him. What is left out is dropped whole.
    """
    levels: dict[str, dict[str, str]] = {}
    for fold in folds:
        for name, values in fold.predictions.groups.items():
            known = levels.setdefault(name, {})
            known.update(zip(fold.predictions.patient, values, strict=True))
    kept: list[str] = []
    for name in levels:
        tried = [*kept, name]
        if _smallest(tried, levels) >= FEWEST:
            kept = tried
    return kept


def _smallest(names: Sequence[str], levels: Mapping[str, Mapping[str, str]]) -> int:
    patients = levels[names[0]]
    cells = Counter(tuple(levels[name].get(patient, "") for name in names) for patient in patients)
    return min(cells.values())
