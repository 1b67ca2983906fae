"""Mixed precision where it is asked for, and learning curves of every training."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.metrics import roc_auc_score

from cytobench.torch.mlp import MlpClassifier, MlpRegressor


def problem(n=200):
    draw = np.random.default_rng(1)
    X = draw.normal(size=(n, 8))
    return X, (X[:, 0] + X[:, 1] + 0.5 * draw.normal(size=n) > 0).astype(int)


def fitted(**settings):
    X, y = problem()
    return MlpClassifier(random_state=0, device="cpu", **settings).fit(X, y)


def test_mixed_precision_learns_and_is_another_computation():
    X, y = problem()
    full, mixed = fitted(), fitted(precision="mixed")

    assert roc_auc_score(y, mixed.predict_proba(X)[:, 1]) > 0.85
    difference = np.abs(full.predict_proba(X) - mixed.predict_proba(X)).max()
    assert 0 < difference < 0.1


def test_mixed_precision_repeats_itself_and_answers_in_double_precision():
    X, _ = problem()
    first, second = (fitted(precision="mixed").predict_proba(X) for _ in range(2))

    assert np.array_equal(first, second)
    assert first.dtype == np.float64


def test_weights_are_trained_in_single_and_used_in_double_precision():
    network = fitted(precision="mixed")

    for weights in network.ensemble_.parameters():
        assert weights.dtype == torch.float64
        assert bool((weights == weights.float().double()).all())
    assert any(bool((w != w.bfloat16().double()).any()) for w in network.ensemble_.parameters())


def test_a_prediction_does_not_depend_on_the_rows_beside_it():
    X, _ = problem()
    network = fitted()

    together = network.predict_proba(X)
    alone = np.vstack([network.predict_proba(X[row : row + 1]) for row in range(len(X))])

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)


def test_an_unknown_precision_is_refused_with_the_options():
    with pytest.raises(ValueError, match="precision='half': there are full, mixed"):
        fitted(precision="half")


def test_an_unknown_device_is_refused_with_the_options():
    X, y = problem()
    with pytest.raises(ValueError, match="device='abacus': there are auto, cpu, cuda"):
        MlpClassifier(device="abacus").fit(X, y)


@pytest.mark.parametrize("network", [MlpClassifier, MlpRegressor])
def test_learning_curves_have_a_value_for_every_epoch_and_fall(network):
    X, y = problem()
    fit = network(random_state=0, device="cpu", dropout=0.0).fit(X, y.astype(float))

    curves = fit.learning_curves_

    assert set(curves) == {"train_loss", "valid_loss"}
    assert {len(values) for values in curves.values()} == {fit.n_iter_}
    assert curves["train_loss"][-1] < curves["train_loss"][0]
    assert min(curves["valid_loss"]) == curves["valid_loss"][fit.training_.best_epoch]


def test_the_first_training_loss_is_that_of_the_prevalence():
    _, y = problem()
    share = y.mean()
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))

    assert fitted().learning_curves_["train_loss"][0] == pytest.approx(entropy, abs=0.01)
