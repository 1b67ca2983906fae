"""Networks that are modules, solved side by side: each as the plain estimator alone would."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.metrics import roc_auc_score

from cytobench.batched.problem import Problem
from cytobench.torch import batch, draws
from cytobench.torch.ft_transformer import (
    FtTransformerClassifier,
    FtTransformerRegressor,
    first_token_only,
)
from cytobench.torch.realmlp import RealMlpClassifier, RealMlpRegressor, embedded_in_one_product
from cytobench.torch.tabm import TabMClassifier, TabMRegressor

SOLVERS = {
    "realmlp": (batch.realmlp, RealMlpClassifier, RealMlpRegressor),
    "ft_transformer": (batch.ft_transformer, FtTransformerClassifier, FtTransformerRegressor),
    "tabm": (batch.tabm, TabMClassifier, TabMRegressor),
}
COMMON = {"width": 8, "members": 2, "max_epochs": 25, "learning_rate": 5e-3, "precision": "full"}
SETTINGS = {
    "realmlp": [
        {},
        {"width": 16, "depth": 1, "frequency": 0.4},
        {"dropout": 0.0, "members": 1},
        {"dropout": 0.5, "weight_decay": 1.0},
        # Only the last bias learns: later epochs differ in the seventh digit of their losses.
        {"dropout": 1.0, "max_epochs": 5},
    ],
    "ft_transformer": [
        {},
        {"width": 16, "heads": 4},
        {"dropout": 0.0, "members": 1},
        {"depth": 2, "dropout": 0.4, "weight_decay": 1.0},
        {"heads": 1, "members": 1},
    ],
    "tabm": [
        {},
        {"width": 16, "depth": 1, "members": 5},
        {"dropout": 0.0, "members": 1},
        {"dropout": 0.5, "weight_decay": 1.0},
        {"dropout": 1.0, "depth": 1, "max_epochs": 5},
    ],
}
EVERY = [(name, setting) for name in SOLVERS for setting in SETTINGS[name]]


def problem(setting=None, *, n=110, new=40, features=5, seed=0, kind="classification"):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n + new, features))
    score = X[:, 0] - X[:, 1] + X[:, 2] * X[:, 3] + draw.normal(size=n + new)
    y = score if kind == "regression" else (score > 0).astype(float)
    part = Problem(X[:n], y[:n], X[n:], {**COMMON, **(setting or {})}, random_state=seed // 2)
    return part, y[n:]


def plain(name, part, kind="classification"):
    made = SOLVERS[name][2 if kind == "regression" else 1]
    network = made(**part.params, device="cpu", random_state=part.random_state)
    network.fit(part.X, part.y)
    if kind == "regression":
        return network.predict(part.X_new)
    return network.predict_proba(part.X_new)[:, 1]


def solved(name, parts, kind="classification"):
    return SOLVERS[name][0](parts, kind=kind, device="cpu")


def varied(name):
    """Problems of several sizes and settings."""
    return [
        problem(setting, n=n, seed=seed)[0]
        for seed, n in enumerate((110, 112, 75))
        for setting in SETTINGS[name]
    ]


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize(("name", "setting"), EVERY, ids=str)
def test_every_setting_is_answered_as_by_the_plain_estimator(kind, name, setting):
    parts = [problem(setting, n=n, seed=n, kind=kind)[0] for n in (90, 93)]

    for part, prediction in zip(parts, solved(name, parts, kind), strict=True):
        # Sums in another order, in single precision, epoch after epoch.
        np.testing.assert_allclose(prediction, plain(name, part, kind), atol=2e-5)


@pytest.mark.parametrize(
    ("made", "narrow"),
    [(RealMlpClassifier, embedded_in_one_product), (FtTransformerClassifier, first_token_only)],
)
def test_what_a_network_leaves_out_changes_neither_outputs_nor_gradient(made, narrow):
    torch.manual_seed(0)
    network = made(dropout=0.0).build(6).double()
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    X = torch.randn(20, 6, dtype=torch.float64)
    weights = list(network.parameters())
    outputs = network(X)
    gradient = torch.autograd.grad((outputs**2).sum(), weights)

    narrow(network)

    torch.testing.assert_close(network(X), outputs)
    narrowed = torch.autograd.grad((network(X) ** 2).sum(), weights)
    torch.testing.assert_close(narrowed, gradient)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_auc_of_every_problem_is_that_of_the_plain_estimator(name):
    drawn = np.random.default_rng(0)
    asked = [
        problem(
            {
                "width": int(drawn.choice([8, 16])),
                "dropout": drawn.uniform(0, 0.5),
                "learning_rate": 10 ** drawn.uniform(-3, -1.5),
                "weight_decay": 10 ** drawn.uniform(-3, 0),
            },
            new=80,
            features=12,
            seed=seed,
        )
        for seed in range(10)
    ]

    together = solved(name, [part for part, _ in asked])

    for (part, y_new), prediction in zip(asked, together, strict=True):
        alone = roc_auc_score(y_new, plain(name, part))
        assert roc_auc_score(y_new, prediction) == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize("name", SOLVERS)
def test_an_answer_depends_on_its_own_problem_only_to_the_last_bit(name, monkeypatch):
    parts = varied(name)
    together = solved(name, parts)

    backwards = solved(name, parts[::-1])[::-1]
    alone = [solved(name, [part])[0] for part in parts]
    monkeypatch.setitem(batch.BUDGET, "cpu", 2**19)
    in_chunks = solved(name, parts)

    for answers in zip(together, backwards, alone, in_chunks, strict=True):
        assert len({answer.tobytes() for answer in answers}) == 1


@pytest.mark.parametrize("name", SOLVERS)
def test_large_problems_train_in_mini_batches_like_the_plain_estimator(name):
    parts = [problem({"max_epochs": 3}, n=n, seed=3)[0] for n in (700, 701)]

    together = solved(name, parts)

    for part, prediction in zip(parts, together, strict=True):
        np.testing.assert_allclose(prediction, plain(name, part), atol=2e-5)
        assert prediction.tobytes() == solved(name, [part])[0].tobytes()


@pytest.mark.parametrize("name", SOLVERS)
def test_where_torch_draws_otherwise_dropout_is_the_same_all_the_same(name, monkeypatch):
    parts = varied(name)[:5]
    expected = solved(name, parts)

    monkeypatch.setattr(draws, "_compares_doubles", lambda: False)

    assert [p.tobytes() for p in solved(name, parts)] == [p.tobytes() for p in expected]


@pytest.mark.parametrize("name", SOLVERS)
def test_neither_generators_nor_threads_of_the_process_are_touched(name):
    torch.manual_seed(3)
    before = torch.get_rng_state(), torch.get_num_threads()

    solved(name, [problem({"max_epochs": 2})[0]])

    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


@pytest.mark.parametrize("name", SOLVERS)
def test_what_the_plain_estimator_refuses_is_refused(name):
    part, _ = problem()
    one_class = Problem(part.X, np.ones(len(part.y)), part.X_new, part.params, 0)

    with pytest.raises(ValueError, match="one class only"):
        solved(name, [one_class])
    with pytest.raises(ValueError, match="it is a share"):
        solved(name, [problem({"dropout": 1.5})[0]])
    with pytest.raises(FloatingPointError, match="not finite"):
        solved(name, [part, problem({"learning_rate": 1e30})[0]])
    with pytest.raises(NotImplementedError, match="one by one"):
        solved(name, [problem({"precision": "mixed"})[0]])
