"""Networks: one seed, one result; nothing global is touched; training stops where it should."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.base import clone
from torch import nn

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor
from cytobench.torch.mlp import MlpClassifier, MlpRegressor, StackedMlp


class Logistic(NetworkClassifier):
    """What a researcher writes: a class and its network."""

    def build(self, n_features):
        return nn.Linear(n_features, 1)


class _Noisy(Network):
    """A network with a parameter of its own."""

    def __init__(self, *, share=0.2, **training):
        super().__init__(**training)
        self.share = share

    def build(self, n_features):
        return nn.Sequential(
            nn.Linear(n_features, 8), nn.BatchNorm1d(8), nn.Dropout(self.share), nn.Linear(8, 1)
        )


class NoisyRegressor(_Noisy, NetworkRegressor):
    """The same for a number."""


def problem(n=150, features=8, seed=0):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, features))
    return X, (X[:, 0] + X[:, 1] + draw.normal(size=n) > 0).astype(int)


@pytest.fixture
def mlp():
    return MlpClassifier(device="cpu", random_state=0, max_epochs=30)


def test_one_seed_gives_the_same_bits_and_another_seed_others(mlp):
    X, y = problem()
    first, again = (clone(mlp).fit(X, y).predict_proba(X).tobytes() for _ in range(2))
    other = clone(mlp).set_params(random_state=1).fit(X, y).predict_proba(X).tobytes()

    assert first == again
    assert first != other


def test_without_a_seed_every_fit_differs(mlp):
    X, y = problem()
    mlp.set_params(random_state=None)

    assert not np.array_equal(
        clone(mlp).fit(X, y).predict_proba(X), clone(mlp).fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize("random_state", [0, None])
def test_global_random_states_and_threads_are_neither_used_nor_touched(mlp, random_state):
    X, y = problem()
    mlp.set_params(random_state=random_state)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002

    mlp.fit(X, y).predict(X)

    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.get_num_threads() == before[2]


def test_the_result_does_not_depend_on_global_states_or_threads(mlp):
    X, y = problem(n=400, features=40)
    threads = torch.get_num_threads()
    found = []
    try:
        for seed, count in ((1, 1), (2, 2)):
            torch.manual_seed(seed)
            torch.set_num_threads(count)
            found.append(clone(mlp).fit(X, y).predict_proba(X).tobytes())
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)

    assert found[0] == found[1]


@pytest.mark.parametrize("network", [MlpClassifier, MlpRegressor])
def test_one_row_is_predicted_as_in_a_batch(network):
    X, y = problem()
    fitted = network(device="cpu", random_state=0, max_epochs=30).fit(X, y)
    predict = fitted.predict_proba if network is MlpClassifier else fitted.predict

    alone = np.concatenate([predict(X[row : row + 1]) for row in range(20)])

    np.testing.assert_allclose(alone, predict(X[:20]), atol=1e-6)


def test_training_stops_when_held_out_patients_no_longer_gain(mlp):
    X, _ = problem(n=60)
    y = np.random.default_rng(0).integers(0, 2, 60)
    mlp.set_params(max_epochs=500, patience=7, learning_rate=0.02).fit(X, y)

    losses = mlp.training_.valid_loss
    assert mlp.n_iter_ == len(losses) < 500
    assert mlp.training_.best_epoch == int(np.argmin(losses)) == len(losses) - 1 - 7


def test_the_weights_of_the_best_epoch_are_kept(mlp):
    X, y = problem(n=60)
    mlp.set_params(max_epochs=500, patience=7, learning_rate=0.02).fit(X, y)
    until_best = clone(mlp).set_params(max_epochs=mlp.training_.best_epoch + 1).fit(X, y)

    assert mlp.n_iter_ > until_best.n_iter_
    np.testing.assert_array_equal(mlp.predict_proba(X), until_best.predict_proba(X))


def test_the_ensemble_averages_the_probabilities_of_its_members(mlp):
    X, y = problem()
    mlp.set_params(members=4).fit(X, y)

    with torch.no_grad():
        inputs = torch.tensor(X, dtype=torch.float64).expand(4, *X.shape)
        logits = mlp.ensemble_(inputs) + mlp.prior_logit_

    assert logits.shape == (4, 150)
    assert float(logits.std(dim=0).min()) > 0
    np.testing.assert_allclose(
        mlp.predict_proba(X)[:, 1], torch.sigmoid(logits).mean(dim=0), atol=1e-6
    )


def test_untrained_networks_know_the_prevalence():
    X = np.random.default_rng(0).normal(size=(100, 5))
    y = (np.arange(100) < 30).astype(int)
    fitted = MlpClassifier(device="cpu", random_state=0, max_epochs=1, learning_rate=1e-9).fit(X, y)

    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], 0.3, atol=1e-6)


def test_a_regressor_answers_in_the_unit_of_the_outcome():
    X, _ = problem(n=200)
    y = 1000 * X[:, 0] + 5000
    fit = MlpRegressor(device="cpu", random_state=0, learning_rate=0.02).fit

    np.testing.assert_allclose(fit(X, y / 1000).predict(X) * 1000, fit(X, y).predict(X), rtol=1e-3)
    assert fit(X, y).score(X, y) > 0.8


def test_a_constant_outcome_is_predicted_as_such():
    X, _ = problem(n=30)

    fitted = MlpRegressor(device="cpu", random_state=0).fit(X, np.full(30, 7.0))

    np.testing.assert_allclose(fitted.predict(X), 7, atol=0.2)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_a_handful_of_patients_is_enough_to_fit(mlp, n):
    X, _ = problem(n=n)
    y = np.arange(n) % 2

    assert np.isfinite(mlp.fit(X, y).predict_proba(X)).all()


def test_large_data_are_trained_in_batches(mlp):
    X, y = problem(n=1500)
    mlp.set_params(max_epochs=8).fit(X, y)

    assert mlp.score(X, y) > 0.7
    assert clone(mlp).fit(X, y).predict_proba(X).tobytes() == mlp.predict_proba(X).tobytes()


def test_a_network_of_ones_own_is_a_class_with_build():
    X, y = problem(n=300)
    fitted = Logistic(device="cpu", random_state=0, learning_rate=0.05).fit(X, y)

    assert fitted.score(X, y) > 0.7
    assert len(fitted.ensemble_.members) == 3


def test_inherited_parameters_count_as_ones_own():
    network = NoisyRegressor(share=0.4, members=2, random_state=5)

    assert clone(network).get_params() == network.get_params()
    assert {"share", "members", "learning_rate"} <= set(network.get_params())
    assert repr(network) == "NoisyRegressor(members=2, random_state=5, share=0.4)"


def test_a_module_with_buffers_trains_and_predicts_row_by_row():
    X, _ = problem(n=100)
    fitted = NoisyRegressor(device="cpu", random_state=0, learning_rate=0.05).fit(X, X[:, 0])

    assert fitted.score(X, X[:, 0]) > 0.5
    np.testing.assert_allclose(fitted.predict(X[:1]), fitted.predict(X)[:1], atol=1e-6)


def test_a_subclass_without_a_network_says_what_is_missing():
    X, y = problem(n=20)

    with pytest.raises(NotImplementedError, match="build"):
        NetworkClassifier(device="cpu").fit(X, y)


def test_numbers_too_large_for_a_network_are_reported(mlp):
    X, y = problem(n=50)

    with pytest.raises(FloatingPointError, match="standardise"):
        mlp.set_params(learning_rate=1e30).fit(X * 1e30, y)


@pytest.mark.parametrize("name", ["members", "max_epochs"])
def test_no_network_or_no_epoch_is_refused(mlp, name):
    X, y = problem(n=20)

    with pytest.raises(ValueError, match=f"{name}=0: at least 1"):
        mlp.set_params(**{name: 0}).fit(X, y)


def test_three_classes_are_refused(mlp):
    X, _ = problem(n=30)

    with pytest.raises(ValueError, match="Only binary"):
        mlp.fit(X, np.arange(30) % 3)


def test_stacked_members_compute_what_separate_perceptrons_would():
    torch.manual_seed(0)
    stacked = StackedMlp((4, 6, 1), members=2, dropout=0.0)
    nn.init.normal_(stacked.weights[-1])
    X = torch.randn(2, 5, 4)

    for member in range(2):
        first, last = nn.Linear(4, 6), nn.Linear(6, 1)
        with torch.no_grad():
            for layer, linear in enumerate((first, last)):
                linear.weight.copy_(stacked.weights[layer][member].T)
                linear.bias.copy_(stacked.biases[layer][member, 0])
            expected = last(torch.relu(first(X[member]))).squeeze(-1)
            torch.testing.assert_close(stacked(X)[member], expected)


def test_a_fitted_network_is_pickled_as_arrays_and_draws_nothing_when_it_is_built_again(mlp):
    X, y = problem()
    fitted = mlp.fit(X, y)
    before = torch.get_rng_state()

    again = pickle.loads(pickle.dumps(fitted))

    assert torch.equal(torch.get_rng_state(), before)
    assert all(
        isinstance(array, np.ndarray) for array in fitted.__getstate__()["ensemble_"].values()
    )
    assert again.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()


def test_weights_of_another_shape_are_no_network(mlp):
    X, y = problem()
    state = mlp.fit(X, y).__getstate__()

    with pytest.raises(RuntimeError, match="size mismatch"):
        MlpClassifier.__new__(MlpClassifier).__setstate__({**state, "width": 7})
