"""A training that was interrupted goes on where it was, to the last bit."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cytobench.torch import checkpoint as module
from cytobench.torch.estimator import NetworkClassifier
from cytobench.torch.mlp import MlpClassifier, MlpRegressor


def problem(n=120, features=6):
    draw = np.random.default_rng(0)
    X = draw.normal(size=(n, features))
    return X, (X[:, 0] + draw.normal(size=n) > 0).astype(int)


def network(folder=None, **changes):
    settings = {"max_epochs": 30, "patience": 30, "random_state": 4, "device": "cpu", **changes}
    return MlpClassifier(checkpoint=None if folder is None else str(folder), **settings)


@pytest.fixture
def every_epoch(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.0)


class Interrupted(Exception):
    """What stands for a killed process."""


def interrupt(network, X, y, *, epochs):
    """Let the training of a network end with an exception once it has saved so many epochs."""
    save = module.Checkpoint.save
    saved = []

    def counted(self, state):
        save(self, state)
        saved.append(state)
        if len(saved) == epochs:
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Checkpoint, "save", counted)
        with pytest.raises(Interrupted):
            network.fit(X, y)


@pytest.mark.parametrize("n", [120, 1200], ids=["all rows a step", "in batches"])
def test_a_resumed_training_predicts_as_an_uninterrupted_one(tmp_path, every_epoch, n):
    X, y = problem(n)
    whole = network().fit(X, y)

    interrupt(network(tmp_path), X, y, epochs=11)
    (file,) = tmp_path.glob("*.pt")
    resumed = network(tmp_path).fit(X, y)

    assert np.array_equal(resumed.predict_proba(X), whole.predict_proba(X))
    assert resumed.learning_curves_ == whole.learning_curves_
    assert not file.exists(), "a finished training leaves nothing behind"


def test_only_what_is_left_is_trained_again(tmp_path, every_epoch, monkeypatch):
    X, y = problem()
    interrupt(network(tmp_path), X, y, epochs=20)
    steps = []
    from cytobench.torch import trainer

    step = trainer._AdamW.step
    monkeypatch.setattr(trainer._AdamW, "step", lambda self: (steps.append(1), step(self))[1])

    network(tmp_path).fit(X, y)

    assert len(steps) == 10


@pytest.mark.parametrize(
    "change",
    [{"width": 16}, {"random_state": 5}, {"learning_rate": 0.01}],
    ids=["shape", "seed", "rate"],
)
def test_another_training_never_takes_it_up(tmp_path, every_epoch, change):
    X, y = problem()
    interrupt(network(tmp_path), X, y, epochs=5)

    other = network(tmp_path, **change).fit(X, y)

    assert np.array_equal(other.predict_proba(X), network(**change).fit(X, y).predict_proba(X))


def test_other_data_never_take_it_up(tmp_path, every_epoch):
    X, y = problem()
    interrupt(network(tmp_path), X, y, epochs=5)
    X[0, 0] += 1e-6

    assert np.array_equal(
        network(tmp_path).fit(X, y).predict_proba(X), network().fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None], ids=["empty", "text", "half"])
def test_a_file_that_cannot_be_read_is_said_and_training_starts_afresh(
    tmp_path, every_epoch, content
):
    X, y = problem()
    interrupt(network(tmp_path), X, y, epochs=5)
    (file,) = tmp_path.glob("*.pt")
    file.write_bytes(file.read_bytes()[:500] if content is None else content)

    with pytest.warns(UserWarning, match="cannot be used and training starts afresh"):
        fitted = network(tmp_path).fit(X, y)

    assert np.array_equal(fitted.predict_proba(X), network().fit(X, y).predict_proba(X))


def test_a_file_that_would_run_code_is_not_loaded(tmp_path, every_epoch):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    X, y = problem()
    interrupt(network(tmp_path), X, y, epochs=5)
    (file,) = tmp_path.glob("*.pt")
    file.write_bytes(pickle.dumps(Evil()))

    with pytest.warns(UserWarning, match="cannot be used"):
        network(tmp_path).fit(X, y)

    assert not (tmp_path / "ran").exists()


def test_the_environment_names_a_folder_for_all_networks(tmp_path, every_epoch, monkeypatch):
    X, y = problem()
    monkeypatch.setenv(module.ENVIRONMENT, str(tmp_path))
    interrupt(MlpRegressor(random_state=1, device="cpu"), X, y.astype(float), epochs=2)

    assert len(list(tmp_path.glob("*.pt"))) == 1


def test_a_short_training_writes_nothing(tmp_path):
    X, y = problem()

    network(tmp_path / "checkpoints").fit(X, y)

    assert not (tmp_path / "checkpoints").exists()


def test_without_a_seed_nothing_could_be_taken_up_so_nothing_is_kept(tmp_path, every_epoch):
    X, y = problem()

    network(tmp_path / "checkpoints", random_state=None).fit(X, y)

    assert not (tmp_path / "checkpoints").exists()


def test_a_network_of_ones_own_has_checkpoints_too(tmp_path, every_epoch):
    from torch import nn

    class Linear(NetworkClassifier):
        def build(self, n_features):
            return nn.Sequential(nn.BatchNorm1d(n_features), nn.Linear(n_features, 1))

    X, y = problem()
    settings = {"max_epochs": 20, "patience": 20, "random_state": 1, "device": "cpu"}
    interrupt(Linear(checkpoint=str(tmp_path), **settings), X, y, epochs=7)

    resumed = Linear(checkpoint=str(tmp_path), **settings).fit(X, y)

    whole = Linear(**settings).fit(X, y)
    assert np.array_equal(resumed.predict_proba(X), whole.predict_proba(X))
