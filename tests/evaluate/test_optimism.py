"""Optimism corrections against R (rms, own .632+) on fixed resamples, and where they are known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytobench.core.errors import UsageError
from cytobench.evaluate.optimism import loss_632plus, no_information_brier, optimism_bootstrap

REFERENCE = Path(__file__).parents[1] / "reference"
DATA = pd.read_csv(REFERENCE / "optimism_data.csv")
X, Y = DATA.drop(columns="y").to_numpy(), DATA["y"].to_numpy()
SAMPLES = np.loadtxt(REFERENCE / "optimism_boot_idx0.csv", delimiter=",", dtype=int)
EXPECTED = json.loads((REFERENCE / "optimism_expected.json").read_text())


def logistic(train_x, train_y, x):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    return model.fit(train_x, train_y).predict_proba(x)[:, 1]


def nearest(train_x, train_y, x):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1).fit(train_x, train_y).predict_proba(x)[:, 1]


@pytest.fixture(scope="module")
def corrected():
    return optimism_bootstrap(X, Y, logistic, samples=SAMPLES)


@pytest.mark.parametrize("metric", ["auc", "brier"])
def test_the_bootstrap_matches_the_reference_on_its_twenty_resamples(corrected, metric):
    found = corrected[metric]

    assert found.apparent == pytest.approx(EXPECTED["apparent"][metric], abs=1e-8)
    assert found.optimism == pytest.approx(EXPECTED["optimism"][metric], abs=1e-8)
    assert found.harrell == pytest.approx(EXPECTED["harrell_corrected"][metric], abs=1e-8)
    assert found.out_of_bag == pytest.approx(EXPECTED["oob"][metric], abs=1e-8)
    assert found.e632 == pytest.approx(EXPECTED["e632"][metric], abs=1e-8)


def test_632plus_matches_the_reference(corrected):
    found = corrected["brier"]

    assert found.no_information == pytest.approx(EXPECTED["brier_noinfo"], abs=1e-8)
    assert found.overfitting == pytest.approx(EXPECTED["brier_R"], abs=1e-7)
    assert found.e632plus == pytest.approx(EXPECTED["brier_632plus"], abs=1e-8)


def test_632plus_sees_through_a_nearest_neighbour_on_noise():
    """Efron & Tibshirani 1997: apparent error 0, out of bag 0.5; .632 says .316, .632+ says .5."""
    estimate, overfitting = loss_632plus(0, 0.5, 0.5)

    assert (estimate, overfitting) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(("apparent", "out_of_bag"), [(0.3, 0.25), (0.6, 0.7)])
def test_632plus_never_takes_a_gain_outside_the_bag_for_overfitting(apparent, out_of_bag):
    assert loss_632plus(apparent, out_of_bag, 0.5)[1] == 0


def test_the_no_information_score_is_the_mean_over_all_pairs():
    p = np.random.default_rng(0).random(len(Y))

    pairs = np.mean((Y[:, None] - p[None, :]) ** 2)

    assert no_information_brier(Y, p) == pytest.approx(pairs)


def test_a_model_that_remembers_noise_is_brought_back_to_chance():
    draw = np.random.default_rng(3)
    x, y = draw.normal(size=(80, 5)), np.arange(80) % 2

    found = optimism_bootstrap(x, y, nearest, resamples=40, seed=1)["auc"]

    assert found.apparent == 1
    assert found.e632 > 0.6
    assert found.e632plus == pytest.approx(0.5, abs=0.08)


def test_equal_seeds_draw_equal_resamples():
    first, second, other = (
        optimism_bootstrap(X, Y, logistic, resamples=5, seed=seed) for seed in (1, 1, 2)
    )

    assert first == second
    assert first != other


def test_one_class_and_no_resamples_are_refused():
    with pytest.raises(UsageError, match=r"E121.*two patients of each class"):
        optimism_bootstrap(X, np.zeros(len(Y)), logistic)
    with pytest.raises(UsageError, match=r"E121.*one resample or more"):
        optimism_bootstrap(X, Y, logistic, resamples=0)
