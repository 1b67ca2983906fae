"""Kernel machines on shared distances: scikit-learn's answers, in any company."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from cytobench.batched.kernels import LARGEST, platt, svm_rbf
from cytobench.batched.problem import Problem


def problem(n=60, C=1.0, gamma=0.1, seed=0, *, numbers=False):
    draw = np.random.default_rng(seed)
    X, new = draw.normal(size=(n, 5)), draw.normal(size=(12, 5))
    z = 2 * X[:, 0] * X[:, 1]
    y = 10 * z + draw.normal(size=n) if numbers else (z + draw.normal(size=n) > 0) * 1.0
    return Problem(X, y, new, {"C": C, "gamma": gamma}, 0)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("gamma", [1e-4, 0.05, 1.0, 30.0])
def test_probabilities_are_those_of_the_calibrated_machine(C, gamma):
    asked = problem(C=C, gamma=gamma)
    svc = SVC(C=C, gamma=gamma, random_state=0)
    plain = CalibratedClassifierCV(svc, method="sigmoid", cv=3, ensemble=False)

    (found,) = svm_rbf([asked], kind="classification", device="cpu")

    expected = plain.fit(asked.X, asked.y.astype(int)).predict_proba(asked.X_new)[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("gamma", [1e-4, 0.05, 1.0])
def test_numbers_are_those_of_scikit_learn(C, gamma):
    asked = problem(C=C, gamma=gamma, numbers=True)
    scale = StandardScaler().fit(asked.y[:, None])
    y = scale.transform(asked.y[:, None])[:, 0]

    (found,) = svm_rbf([asked], kind="regression", device="cpu")

    said = SVR(C=C, gamma=gamma).fit(asked.X, y).predict(asked.X_new)
    expected = scale.inverse_transform(said[:, None])[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-2 * asked.y.std())


def test_the_slope_is_that_of_the_smoothed_likelihood():
    draw = np.random.default_rng(0)
    score = draw.normal(size=400)
    y = (draw.random(400) < 1 / (1 + np.exp(-2 * score - 0.5))) * 1.0

    slope, intercept = platt(score, y)

    positives, negatives = y.sum(), (1 - y).sum()
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    p = 1 / (1 + np.exp(slope * score + intercept))
    np.testing.assert_allclose([(p - target).sum(), ((p - target) * score).sum()], 0, atol=1e-6)
    assert slope == pytest.approx(-2, abs=0.5)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_an_answer_does_not_depend_on_the_batch_to_the_last_bit(kind):
    def made():
        numbers = kind == "regression"
        several = [problem(n, seed=n, numbers=numbers) for n in (40, 41, 60)]
        grid = [{"C": C, "gamma": g} for C in (0.1, 10.0) for g in (0.01, 0.5)]
        return [
            Problem(one.X, one.y, one.X_new, params, 0, one.kept)
            for params in grid
            for one in several
        ]

    together = svm_rbf(made(), kind=kind, device="cpu")
    backwards = svm_rbf(made()[::-1], kind=kind, device="cpu")[::-1]
    alone = [svm_rbf([one], kind=kind, device="cpu")[0] for one in made()]

    for one, other, third in zip(together, backwards, alone, strict=True):
        assert one.tobytes() == other.tobytes() == third.tobytes()


def test_too_few_of_a_class_are_refused():
    asked = problem()
    asked.y[:] = 0
    asked.y[:2] = 1

    with pytest.raises(ValueError, match="fewer than 3"):
        svm_rbf([asked], kind="classification", device="cpu")


def test_very_many_patients_are_left_to_the_estimator():
    with pytest.raises(NotImplementedError, match="patients"):
        svm_rbf([problem(LARGEST + 1)], kind="classification", device="cpu")
