"""Planted sins are found by the tests that can see them, by no other; honest procedures pass.

The sins and who sees them: ``shared/reference/audit_matrix.csv`` of the project's evaluation notes
(n = 120, five folds), after the taxonomy of Kapoor & Narayanan (2023,
doi:10.1016/j.patter.2023.100804).
"""

import numpy as np
import pandas as pd
import pytest

from cytobench.audit.invariance import audit_procedure
from cytobench.audit.procedure import Problem

N, COLUMNS, FOLDS = 120, 60, 5


def problem(*, ordered=False, signal=0.0, regression=False):
    """Noise (or a weak signal) in 60 columns with a few gaps; rows sorted by outcome if asked."""
    draw = np.random.default_rng(7)
    values = draw.normal(size=(N, COLUMNS))
    y = (np.arange(N) % 2).astype(float)
    if regression:
        y = draw.normal(size=N)
    if ordered:
        y = np.sort(y)
    values[:, :3] += signal * y[:, None]
    values[draw.random(values.shape) < 0.02] = np.nan
    X = pd.DataFrame(values, columns=[f"a{k}" for k in range(COLUMNS)])
    fold = draw.permutation(N) % FOLDS
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]
    return Problem(X, y, folds, seed=3)


def codes(procedure, data, **options):
    return {finding.code for finding in audit_procedure(procedure, data, workers=2, **options)}


SINS = {
    "honest": set(),
    "selection_before_split": {"A101", "A102", "A110"},
    "scaler_before_split": {"A102"},
    "test_batch_normalisation": {"A102"},
    "tuning_on_test": {"A101", "A102", "A110"},
    "oversampling_before_split": {"A101", "A102", "A110"},
    "memory_of_folds": {"A103", "A110"},
}


@pytest.mark.parametrize("name", SINS)
def test_each_sin_is_found_by_its_tests_and_no_other(procedures, name):
    found = codes(getattr(procedures, name), problem())

    assert found == SINS[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reads_the_index", {"A104", "A111"}),
        ("reads_the_position", {"A105", "A111"}),
        ("reads_the_order_of_training_rows", {"A107"}),
    ],
)
def test_rows_sorted_by_outcome_reveal_who_reads_their_order(procedures, name, expected):
    found = codes(getattr(procedures, name), problem(ordered=True, signal=1.0))

    assert found - {"A111"} == expected - {"A111"}


def test_a_forest_may_change_with_the_order_of_rows_and_columns(procedures):
    assert codes(procedures.forest, problem(signal=0.6), permutations=0) == set()


def test_an_honest_procedure_passes_on_numbers_too(procedures):
    assert codes(procedures.honest, problem(regression=True, signal=0.5)) == set()


@pytest.mark.parametrize("name", ["unseeded", "upside_down_by_chance"])
def test_without_determinism_only_that_is_said(procedures, name):
    found = codes(getattr(procedures, name), problem(signal=3.0), permutations=0)

    assert found - {"A111"} == {"A106"}


def test_learning_nothing_is_no_pass(procedures):
    data = problem()

    assert codes(procedures.constant, data) == {"A111"}
    assert codes(procedures.constant, data, positive_control=False) == set()


def test_a_procedure_that_fails_is_a_finding(procedures):
    found = audit_procedure(procedures.broken, problem(), permutations=0, positive_control=False)

    assert [finding.code for finding in found] == ["A100"]
    assert "it never worked" in found[0].sentence


def test_a_finding_says_in_words_what_changed(procedures):
    found = audit_procedure(
        procedures.scaler_before_split, problem(), permutations=0, positive_control=False
    )

    assert found[0].severity == "block"
    assert found[0].sentence.startswith("predictions of 5 of 5 folds change, by up to")
    assert found[0].values["folds"] == 5
    assert "audit.acknowledge.A102=" in found[0].hint


def test_what_cannot_be_sent_is_refused_in_words():
    from cytobench.core.errors import UsageError

    with pytest.raises(UsageError, match="E131"):
        audit_procedure(lambda X, y, train, test, seed: y[test], problem(), permutations=0)
