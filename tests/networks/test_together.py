"""RealMLP and FT-Transformer solved side by side: each as the plain estimator alone would."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rtdl_revisiting_models")

from sklearn.metrics import roc_auc_score

from cytobench.batched.problem import Problem
from cytobench.torch import batch
from cytobench.torch.dropping import Dropping, replayed, traced
from cytobench.torch.ft_transformer import FtTransformerClassifier, FtTransformerRegressor
from cytobench.torch.realmlp import RealMlpClassifier, RealMlpRegressor

REALMLP = {
    "width": 16, "depth": 2, "dropout": 0.15, "frequency": 0.5, "learning_rate": 2e-2,
    "weight_decay": 1e-2, "members": 2, "precision": "full",
}  # fmt: skip
FT_TRANSFORMER = {
    "width": 8, "depth": 1, "heads": 2, "dropout": 0.15, "learning_rate": 5e-3,
    "weight_decay": 1e-2, "members": 2, "precision": "full",
}  # fmt: skip
MADE = {
    "realmlp": (RealMlpClassifier, RealMlpRegressor, REALMLP),
    "ft_transformer": (FtTransformerClassifier, FtTransformerRegressor, FT_TRANSFORMER),
}
SETTINGS = [
    {},
    {"dropout": 0.0, "learning_rate": 1e-2},
    {"depth": 2, "dropout": 0.4, "weight_decay": 1.0},
    {"width": 32, "members": 1},
    {"dropout": 1.0},
]

pytestmark = pytest.mark.parametrize("name", MADE)


def problem(name, params=None, *, n=120, new=40, features=6, seed=0, kind="classification"):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n + new, features))
    score = X[:, 0] - X[:, 1] + X[:, 2] * X[:, 3] + draw.normal(size=n + new)
    y = score if kind == "regression" else (score > 0).astype(float)
    settings = {**MADE[name][2], **(params or {})}
    return Problem(X[:n], y[:n], X[n:], settings, random_state=seed // 2), y[n:]


def plain(name, part, kind="classification"):
    classifier, regressor, _ = MADE[name]
    made = regressor if kind == "regression" else classifier
    network = made(**part.params, device="cpu", random_state=part.random_state)
    network.fit(part.X, part.y)
    if kind == "regression":
        return network.predict(part.X_new)
    return network.predict_proba(part.X_new)[:, 1]


def solved(name, parts, kind="classification"):
    return getattr(batch, name)(parts, kind=kind, device="cpu")


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_every_setting_is_answered_as_by_the_plain_estimator(name, setting, kind):
    parts = [problem(name, setting, n=n, seed=n, kind=kind)[0] for n in (90, 93)]

    for part, prediction in zip(parts, solved(name, parts, kind), strict=True):
        # Sums in another order, in single precision, epoch after epoch.
        np.testing.assert_allclose(prediction, plain(name, part, kind), atol=1e-4)


def test_the_auc_of_every_problem_is_that_of_the_plain_estimator(name):
    asked = [problem(name, {"dropout": 0.1 * (seed % 4)}, seed=seed) for seed in range(6)]

    together = solved(name, [part for part, _ in asked])

    for (part, y_new), prediction in zip(asked, together, strict=True):
        alone = roc_auc_score(y_new, plain(name, part))
        assert roc_auc_score(y_new, prediction) == pytest.approx(alone, abs=1e-3)


def test_an_answer_depends_on_its_own_problem_only_to_the_last_bit(name, monkeypatch):
    parts = [
        problem(name, setting, n=n, seed=seed)[0]
        for seed, n in enumerate((100, 102, 75))
        for setting in SETTINGS[:4]
    ]

    together = solved(name, parts)
    backwards = solved(name, parts[::-1])[::-1]
    alone = [solved(name, [part])[0] for part in parts]
    monkeypatch.setitem(batch.BUDGET, "cpu", 2**16)
    in_small_chunks = solved(name, parts)

    for answers in (backwards, alone, in_small_chunks):
        assert [p.tobytes() for p in answers] == [p.tobytes() for p in together]


def test_large_problems_train_in_mini_batches_like_the_plain_estimator(name):
    parts = [problem(name, {"members": 1}, n=n, seed=3)[0] for n in (700, 701)]

    for part, prediction in zip(parts, solved(name, parts), strict=True):
        np.testing.assert_allclose(prediction, plain(name, part), atol=1e-4)


def test_what_is_dropped_can_be_seen_and_given(name):
    part, _ = problem(name, {"members": 1, "dropout": 0.5})
    network = MADE[name][0](**part.params, device="cpu", random_state=0).fit(part.X, part.y)
    module = network.ensemble_.members[0].train()
    row = torch.zeros(1, part.X.shape[1])

    calls = traced(module, module, row).calls
    nothing = [torch.zeros(call.used) for call in calls]
    with torch.no_grad(), replayed(nothing):
        one = module(row)
    with torch.no_grad(), Dropping(lambda units, _: units * 0):
        other = module(row)

    assert {call.dropout for call in calls} == {0.5}
    torch.testing.assert_close(one, other)
