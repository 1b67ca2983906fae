"""Stored folds as arrays: nothing depends on pseudonyms or on the order within a fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.folds import one, stored

from cytobench.evaluate.assessment import assess
from cytobench.evaluate.out_of_fold import out_of_fold


def example(label="p", seed=0):
    draw = np.random.default_rng(seed)
    y = (np.arange(60) % 2).astype(float)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + 0.2 * draw.normal(size=(2, 60)), 0.01, 0.99)
    return stored(p, y, label=label)


def test_other_pseudonyms_give_the_same_numbers():
    """Two stores have two salts; their leaderboards must be the same."""
    first = assess("classification", "repeated_stratified", example("p"), {}, resamples=200)
    second = assess("classification", "repeated_stratified", example("zz"), {}, resamples=200)

    assert first.estimates == second.estimates


def test_the_order_within_a_fold_does_not_matter_to_metrics():
    folds = example()
    parts = folds[0].predictions
    turned = {
        name: list(reversed(getattr(parts, name)))
        for name in ("patient", "y", "prediction", "arm", "site", "truth")
    }
    other = [replace(folds[0], predictions=replace(parts, **turned)), *folds[1:]]

    first = out_of_fold(folds)
    second = out_of_fold(other)

    order = [list(second.patients).index(patient) for patient in first.patients]
    np.testing.assert_array_equal(first.prediction, second.prediction[:, order])
    np.testing.assert_array_equal(first.y, second.y[order])


def test_a_patient_who_was_not_tested_has_no_prediction():
    folds = example()[:5] + example()[6:]  # the first fold of the second repeat is missing

    found = out_of_fold(folds)

    assert np.isnan(found.prediction[1]).sum() == len(example()[5].predictions.y)
    assert not np.isnan(found.mean).any()


def test_instability_is_the_mean_difference_of_two_repeats():
    y = (np.arange(20) % 2).astype(float)
    p = np.stack([np.full(20, 0.4), np.full(20, 0.5), np.full(20, 0.7)])

    found = out_of_fold(stored(p, y, repeats=3, folds=2)).instability

    np.testing.assert_allclose(found, (0.1 + 0.3 + 0.2) / 3)
    assert np.isnan(out_of_fold(stored(p[0], y, repeats=1, folds=2)).instability).all()


@given(st.permutations(range(60)))
@settings(deadline=None, max_examples=20)
def test_no_array_depends_on_what_patients_are_called(names):
    folds = example()
    renamed = [
        replace(
            fold,
            predictions=replace(
                fold.predictions,
                patient=[f"q{names[int(patient[1:])]}" for patient in fold.predictions.patient],
            ),
        )
        for fold in folds
    ]

    first, second = out_of_fold(folds), out_of_fold(renamed)

    np.testing.assert_array_equal(first.prediction, second.prediction)
    np.testing.assert_array_equal(first.y, second.y)
    np.testing.assert_array_equal(first.null, second.null)


def test_the_null_and_the_decision_are_those_of_the_patients_own_fold():
    folds = [replace(fold, threshold=0.3 + 0.05 * fold.fold) for fold in example()]

    found = out_of_fold(folds)

    for fold in folds:
        columns = [list(found.patients).index(patient) for patient in fold.predictions.patient]
        said = np.array(fold.predictions.prediction)
        np.testing.assert_array_equal(found.null[fold.repeat, columns], fold.train_mean)
        decided = said >= fold.threshold
        np.testing.assert_array_equal(found.decision[fold.repeat, columns], decided)


def test_a_number_as_outcome_has_no_decision():
    y = np.linspace(-60, 0, 20)

    assert np.isnan(out_of_fold(stored(y, y, threshold=None)).decision).all()


def test_long_and_short_names_of_levels_are_kept_whole():
    levels = ["n"] * 20 + [""] * 20 + ["north of the river"] * 20
    y = (np.arange(60) % 2).astype(float)

    found = out_of_fold(stored(np.full(60, 0.5), y, groups={"site": levels}))

    by_patient = dict(zip(found.patients, found.groups["site"], strict=True))
    assert [by_patient[f"p{row}"] for row in range(60)] == levels


def test_some_patients_keep_their_own_numbers():
    found = out_of_fold(example())
    rows = found.y == 1

    part = found.of(rows)

    assert part.patients.tolist() == found.patients[rows].tolist()
    np.testing.assert_array_equal(part.prediction, found.prediction[:, rows])
    assert [len(y) for y, _ in part.repeats()] == [30, 30]


def test_instability_leaves_out_pairs_that_a_patient_misses():
    y = np.array([0.0, 1.0, 0.0, 1.0])
    folds = [
        one(np.full(4, level), y, np.array(rows), repeat, None, 0.5, "p", 0)
        for repeat, (level, rows) in enumerate([(0.2, [0, 1, 2, 3]), (0.6, [0, 1]), (0.3, [0])])
    ]

    found = out_of_fold(folds).instability

    np.testing.assert_allclose(found, [(0.4 + 0.1 + 0.3) / 3, 0.4, np.nan, np.nan])
