"""One patient on both sides of a split: copies, near copies, and several identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cytobench.audit.findings import Evidence, check
from cytobench.audit.view import View

Pairs = NDArray[np.intp]
SHOWN = 3
VISIT = re.compile(
    r"[\s_./-]?(?:visit|v|timepoint|time|tp|t|week|wk|day|month|sample|replicate|rep|duplicate|dup"
    r"|copy)[\s_.-]?\d{1,2}$",
    re.IGNORECASE,
)
MOST_VISITS = 10


@check(
    "A201",
    "copies of a patient in training and test part",
    "block",
    "Two rows agree in every analyte that tells patients apart, and a fold trains on one and tests "
    "on the other.",
)
def exact_copies(view: View) -> Iterator[Evidence]:
    """Rows that agree in all finely measured analytes that both have."""
    yield from _told(view, view.twins.copies, "agree in every finely measured analyte")


@check(
    "A202",
    "near copies of a patient in training and test part",
    "warning",
    "Two rows are far closer than neighbours among unrelated patients are: replicates, or visits "
    "of one patient. Looked for among up to 20,000 patients.",
)
def near_copies(view: View) -> Iterator[Evidence]:
    """Rows much closer than the density of patients around them explains."""
    yield from _told(
        view, view.twins.close, "are far closer in all analytes than unrelated patients are"
    )


@check(
    "A203",
    "a patient is tested twice, or trained on and tested, in one repeat",
    "block",
    "The parts of one repeat of the split plan overlap.",
)
def overlap(view: View) -> Iterator[Evidence]:
    """Patients in two test parts of a repeat, or on both sides of a fold."""
    for repeat in sorted({split.repeat for split in view.plan.splits}):
        splits = [split for split in view.plan.splits if split.repeat == repeat]
        # Pairs of studies test a patient once for each study that is trained on.
        claimed = [np.unique(split.test) for split in splits if not split.beside]
        tested = np.concatenate(claimed)
        rows, times = np.unique(tested, return_counts=True)
        both = [row for split in splits for row in np.intersect1d(split.train, split.test)]
        count = int((times > 1).sum()) + len(both)
        if count:
            first = int(both[0] if both else rows[times > 1][0])
            yield Evidence(
                f"{count} patients are in two parts of repeat {repeat} that should be disjoint, "
                f"the first in row {first + 1}",
                where=f"repeat {repeat}",
                values={"repeat": repeat, "patients": count},
            )


@check(
    "A204",
    "identifiers look like visits of one patient",
    "warning",
    "Identifiers that differ only in a visit or sample number are parted by train and test.",
)
def several_identifiers(view: View) -> Iterator[Evidence]:
    """Groups of identifiers with one stem before a visit number."""
    stems = [VISIT.sub("", name) for name in view.cohort.patients]
    _, group, size = np.unique(stems, return_inverse=True, return_counts=True)
    # "T12" after one and the same stem for everybody is a numbering, not a visit.
    shared = np.flatnonzero((size > 1) & (size <= MOST_VISITS))
    pairs = [
        (int(first), int(second))
        for number in shared
        for rows in [np.flatnonzero(group == number)]
        for first, second in pairwise(rows)
    ]
    found = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    yield from _told(view, found, "have identifiers that differ only in a visit number")


def _told(view: View, pairs: Pairs, what: str) -> Iterator[Evidence]:
    """One sentence about the pairs that a fold parts."""
    if not len(pairs):
        return
    folds = view.crossing(pairs[:, 0], pairs[:, 1])
    parted = pairs[folds > 0]
    if not len(parted):
        return
    examples = ", ".join(f"{first + 1} and {second + 1}" for first, second in parted[:SHOWN])
    count = len(parted)
    more = " and more" if count > SHOWN else ""
    yield Evidence(
        f"{count} {'pair' if count == 1 else 'pairs'} of patients {what}, and are parted by train "
        f"and test in up to {int(folds.max())} of {len(view.plan.splits)} folds "
        f"(rows {examples}{more})",
        where=f"rows {examples}{more}",
        values={"pairs": count, "rows": parted[: 10 * SHOWN].tolist()},
    )
