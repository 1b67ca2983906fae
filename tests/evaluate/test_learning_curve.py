"""Learning curves: a known law is found again, and what the points do not say is not said."""

import numpy as np
import pytest

from cytobench.evaluate.intervals import INFLATION
from cytobench.evaluate.learning_curve import fit_learning_curve

SIZES = np.array([60.0, 90, 120, 160, 200])
LAW = (0.8, 3.0, 1.0)
"""Plateau, factor, exponent: 300 patients come within 0.01 of 0.8."""


def scores(sizes, law=LAW, folds=50, noise=0.005, shared=0.05, seed=0):
    """Folds that differ by their test patients at every size alike, and a little at each size."""
    plateau, factor, exponent = law
    draw = np.random.default_rng(seed)
    mean = plateau - factor * np.asarray(sizes) ** -exponent
    of_fold = draw.normal(0, shared, folds)
    return mean[:, None] + of_fold - of_fold.mean() + draw.normal(0, noise, (len(sizes), folds))


def test_a_known_law_is_found_again():
    found = fit_learning_curve(SIZES, scores(SIZES), best=1, grid=[200, 400, 800])

    assert found.refusal == ""
    assert found.median == pytest.approx(0.8 - 3.0 / np.array([200, 400, 800]), abs=0.01)
    assert found.plateau.low < 0.8 < found.plateau.high
    assert found.needed.value == pytest.approx(300, rel=0.35)
    assert found.needed.low < 300
    assert found.needed.high is None or found.needed.high > 300


def test_a_law_without_noise_is_found_exactly():
    """Figueroa et al. 2012, equation 1, on its own points."""
    exact = scores(SIZES, noise=0, shared=0)

    found = fit_learning_curve(SIZES, exact, best=1, grid=[400, 800], resamples=50)

    assert found.median == pytest.approx([0.8 - 3 / 400, 0.8 - 3 / 800], abs=2e-4)
    assert found.low == pytest.approx(found.high)
    assert found.needed.value == pytest.approx(300, rel=0.05)


def test_a_loss_falls_to_its_plateau():
    loss = 20 - scores(SIZES, (0.0, 300.0, 1.0), noise=0.02, shared=0.5)

    found = fit_learning_curve(SIZES, loss, larger_is_better=False, best=0, grid=[400], within=1.0)

    assert found.median[0] == pytest.approx(20 + 300 / 400, abs=0.15)
    assert found.plateau.value == pytest.approx(20, abs=0.3)
    assert found.needed.value == pytest.approx(300, rel=0.2)


def test_the_interval_widens_as_the_curve_is_extrapolated():
    found = fit_learning_curve(SIZES, scores(SIZES, noise=0.02), best=1, grid=[200, 400, 800, 2000])

    assert (np.diff(found.high - found.low) > 0).all()


def test_the_interval_covers_the_curve_as_often_as_it_says():
    """95 % nominal; 120 draws put 0.87 three standard errors below 0.95."""
    truth = 0.8 - 3.0 / 600
    hits = []
    for seed in range(120):
        draw = np.random.default_rng(seed)
        values = scores(SIZES, folds=20, noise=0.02, seed=seed) + draw.normal(0, 0.05 / 20**0.5)
        found = fit_learning_curve(SIZES, values, best=1, grid=[600], resamples=300, seed=seed)
        if not found.refusal:
            hits.append(found.low[0] <= truth <= found.high[0])

    assert len(hits) > 100
    assert np.mean(hits) >= 0.87


def test_shared_patients_widen_the_interval():
    values = scores(SIZES, folds=10)

    apart, shared = (
        fit_learning_curve(SIZES, values, best=1, grid=[400], test_share=share)
        for share in (0.0, 0.25)
    )

    assert shared.high - shared.low > apart.high - apart.low
    # Nadeau & Bengio 2003: a variance of sd^2 (1/J + n_test/n_train), times the inflation
    variance = values.var(axis=1, ddof=1) * (1 / 10 + 0.25) * INFLATION
    assert shared.standard_errors == pytest.approx(np.sqrt(variance))


def test_noise_is_refused_in_words():
    found = fit_learning_curve(SIZES, scores(SIZES, (0.6, 0.0, 1.0), noise=0.05), best=1)

    assert "no gain beyond the noise" in found.refusal
    assert len(found.grid) == 0
    assert np.isnan(found.needed.value)
    assert "neither where a plateau lies" in found.needed.method


def test_a_plateau_far_beyond_the_points_gets_no_number():
    still_rising = scores(SIZES, (0.95, 1.0, 0.25), noise=0.001, shared=0)

    found = fit_learning_curve(SIZES, still_rising, best=1)

    assert np.isnan(found.needed.value)
    assert found.needed.high is None
    assert "do not determine it" in found.needed.method


def test_no_plateau_beats_the_best_score_there_can_be():
    found = fit_learning_curve(SIZES, scores(SIZES, (1.1, 3.0, 0.4), noise=0.001), best=1)

    assert found.plateau.high <= 1
    assert found.high.max() <= 1


@pytest.mark.parametrize(("sizes", "folds"), [(SIZES[:3], 50), (SIZES, 3)])
def test_too_few_points_are_refused(sizes, folds):
    found = fit_learning_curve(sizes, scores(sizes, folds=folds))

    assert "a curve needs 4 sizes and 4 folds" in found.refusal
    assert len(found.estimates) == len(sizes)


def test_undefined_folds_are_left_out_at_every_size():
    values = scores(SIZES, folds=20)
    broken = np.column_stack([values, np.full(len(SIZES), 0.1)])
    broken[0, -1] = np.nan

    with_nan, without = (fit_learning_curve(SIZES, part, best=1) for part in (broken, values))

    assert with_nan.median == pytest.approx(without.median)


def test_equal_seeds_give_equal_curves_and_order_does_not_matter():
    values = scores(SIZES)

    first = fit_learning_curve(SIZES, values, seed=4)
    turned = fit_learning_curve(SIZES[::-1], values[::-1], seed=4)

    assert first.median == pytest.approx(turned.median)
    assert first.needed == turned.needed
