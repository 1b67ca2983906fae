"""The networks keep scikit-learn's contract, all of it."""

import pytest

pytest.importorskip("torch")

from sklearn.utils.estimator_checks import parametrize_with_checks

from cytobench.torch.mlp import MlpClassifier, MlpRegressor

FAST = {"device": "cpu", "random_state": 0, "learning_rate": 0.02}


@parametrize_with_checks([MlpClassifier(**FAST), MlpRegressor(**FAST)])
def test_the_estimator_passes_scikit_learns_check(estimator, check):
    check(estimator)
