"""Invariance tests: what must not change a prediction, and does where something leaks.

They are exact, need no statistics and cost a few fits for each fold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.audit.findings import Evidence, Finding, check, checks
from cytobench.audit.isolation import Errand, Failure
from cytobench.audit.procedure import Interview, Problem, Procedure, interview
from cytobench.audit.statistical import under_permutation, with_planted_effect

Floats = NDArray[np.float64]
TOLERANCE = 1e-10
"""Within which predictions for arrays of the same shape count as equal."""
OTHER_SHAPE = 1e-6
"""The same for single rows: matrix products sum in another order, networks in single precision."""
GROSS = 0.1
"""Change of discrimination by the order of rows or columns that no honest fit shows.

Solvers stop a little elsewhere and forests draw other trees when the order changes, so that
predictions may differ; how well they discriminate must not."""
PERMUTATIONS = 20
BATCH = 5
"""Permutations for each process."""


def audit_procedure(
    procedure: Procedure,
    problem: Problem,
    *,
    permutations: int = PERMUTATIONS,
    positive_control: bool = True,
    workers: int = 1,
    preload: Sequence[str] = (),
) -> list[Finding]:
    """Test a procedure for what it must not depend on.

    Parameters
    ----------
    procedure : Procedure
    problem : Problem
        Two folds or more.
    permutations : int
        Permuted labels; 0 leaves that test out.
    positive_control : bool
        Whether a planted effect has to be found; not for procedures that look at nothing.
    workers, preload
        See :func:`cytobench.audit.isolation.run_fresh`.

    Returns
    -------
    list of Finding
        In the order of their codes.
    """
    batches = [
        range(start, min(start + BATCH, permutations)) for start in range(0, permutations, BATCH)
    ]
    more = [Errand(under_permutation, (procedure, problem, batch)) for batch in batches]
    if positive_control:
        more.append(Errand(with_planted_effect, (procedure, problem)))
    answers, others = interview(procedure, problem, more=more, workers=workers, preload=preload)
    planted: Any = others.pop() if positive_control else None
    asked = Interview(problem, answers, _gathered(others), planted)
    return [finding for item in checks("model").values() for finding in item(asked)]


def _gathered(batches: list[Any]) -> list[float] | Failure:
    for batch in batches:
        if isinstance(batch, Failure):
            return batch
    return [value for batch in batches for value in batch]


@check(
    "A100",
    "fails on the data as they are",
    "block",
    "The procedure raises an error, so that nothing else could be tested.",
)
def fails(asked: Interview) -> Iterator[Evidence]:
    """The error."""
    base = asked.answers["as_it_is"]
    if isinstance(base, Failure):
        yield Evidence(f"fails on unchanged data ({base.error})")


@check(
    "A101",
    "test labels are used",
    "block",
    "Predictions change when the labels of the test part are exchanged or removed.",
)
def labels_of_the_test_part(asked: Interview) -> Iterator[Evidence]:
    """Against exchanged and missing test labels."""
    yield from _changed(
        asked,
        {
            "other_test_labels": "the test part gets other labels",
            "no_test_labels": "the test part has no labels",
        },
    )


@check(
    "A102",
    "a prediction depends on other test patients",
    "block",
    "Predictions change with the other rows of the test part: something is fitted to it.",
)
def rows_of_the_test_part(asked: Interview) -> Iterator[Evidence]:
    """Against scrambled other rows, and against single rows."""
    yield from _changed(
        asked,
        {
            "scrambled_test_rows": "the other test patients get other values",
            "one_by_one": "patients are predicted one by one",
        },
    )


@check(
    "A103",
    "something is remembered from fold to fold",
    "block",
    "Predictions depend on which folds the same process has run before.",
)
def memory(asked: Interview) -> Iterator[Evidence]:
    """Folds in order against folds in reversed order, each in a fresh process."""
    yield from _changed(asked, {"backwards": "folds are run in reversed order"})


@check(
    "A104",
    "labels of the rows are used",
    "block",
    "Predictions change when patients' identifiers are exchanged.",
)
def row_labels(asked: Interview) -> Iterator[Evidence]:
    """Against an index in another order."""
    yield from _changed(asked, {"relabelled": "patients' identifiers are exchanged"})


@check(
    "A105",
    "positions of the rows are used",
    "block",
    "Predictions change when patients stand in other rows of the table, though training and test "
    "parts come in the same order.",
)
def row_positions(asked: Interview) -> Iterator[Evidence]:
    """Against the same rows elsewhere."""
    yield from _changed(asked, {"renumbered": "patients stand in other rows of the table"})


@check(
    "A106",
    "the same seed gives other predictions",
    "block",
    "Two fresh processes with one seed disagree: results cannot be repeated, and the tests A101 "
    "to A105 and A107 cannot tell what they look for from chance.",
)
def determinism(asked: Interview) -> Iterator[Evidence]:
    """The first fold, first in two processes."""
    again, reach = asked.answers["first_fold"], _difference(asked, "first_fold")
    if isinstance(again, Failure) and reach is None and not _failed(asked):
        yield Evidence(f"fails in one process and not in another ({again.error})")
    if reach is not None and reach[0]:
        yield Evidence(
            f"the same fold with the same seed differs between two processes by up to "
            f"{reach[1]:.2g}; tests that compare answers were not made",
            values={"difference": reach[1]},
        )


@check(
    "A107",
    "the order of rows or columns matters grossly",
    "warning",
    f"Discrimination changes by more than {GROSS} when training rows or columns come in another "
    "order; solvers and forests differ by far less.",
)
def order(asked: Interview) -> Iterator[Evidence]:
    """Discrimination before and after shuffling; silent without determinism."""
    base = asked.answers["as_it_is"]
    if isinstance(base, Failure) or not _repeats(asked):
        return
    what = {"shuffled_training_rows": "training rows", "shuffled_columns": "columns"}
    for name, words in what.items():
        answer = asked.answers[name]
        if isinstance(answer, Failure):
            yield Evidence(f"fails when the {words} come in another order ({answer.error})")
            continue
        before, after = (asked.problem.discrimination(item) for item in (base, answer))
        if abs(after - before) > GROSS + _noise(asked):
            yield Evidence(
                f"discrimination is {before:.2f}, but {after:.2f} when the {words} come in another "
                "order",
                where=words,
                values={"before": before, "after": after},
            )


def _failed(asked: Interview) -> bool:
    return isinstance(asked.answers["as_it_is"], Failure)


def _repeats(asked: Interview) -> bool:
    """Whether the same question is answered alike, so that another answer means something."""
    repeat = _difference(asked, "first_fold")
    return repeat is not None and not repeat[0]


def _noise(asked: Interview) -> float:
    """Two standard errors of a discrimination without skill, all test patients taken together.

    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; half of Spearman's for numbers.
    """
    y = np.concatenate([asked.problem.y[test] for _, test in asked.problem.folds])
    if not asked.problem.binary:
        return float(1 / np.sqrt(len(y) - 1))
    positives = int(y.sum())
    return float(2 * np.sqrt((len(y) + 1) / (12 * positives * (len(y) - positives))))


def _changed(asked: Interview, variants: dict[str, str]) -> Iterator[Evidence]:
    """One sentence for each variant that changed predictions; silent without determinism."""
    if not _repeats(asked):
        return
    for name, words in variants.items():
        answer = asked.answers[name]
        if isinstance(answer, Failure):
            yield Evidence(f"fails when {words} ({answer.error})", where=words)
            continue
        reach = _difference(asked, name)
        if reach is not None and reach[0]:
            folds, most = reach
            yield Evidence(
                f"predictions of {folds} of {len(answer)} folds change, by up to {most:.2g}, when "
                f"{words}",
                where=words,
                values={"folds": folds, "difference": most},
            )


def _difference(asked: Interview, name: str) -> tuple[int, float] | None:
    """Folds that differ from the unchanged data, and by how much at most; None after a failure."""
    base, other = asked.answers["as_it_is"], asked.answers[name]
    if isinstance(base, Failure) or isinstance(other, Failure):
        return None
    tolerance = OTHER_SHAPE if name == "one_by_one" else TOLERANCE
    apart = [
        float(np.abs(before - after)[~np.isnan(after)].max(initial=0.0))
        for before, after in zip(base, other, strict=True)
    ]
    return sum(value > tolerance for value in apart), max(apart)
