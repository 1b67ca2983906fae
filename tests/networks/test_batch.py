"""Problems solved side by side: each as the plain estimator alone would."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sklearn.metrics import roc_auc_score

from cytobench.batched.problem import Problem
from cytobench.torch import batch, draws
from cytobench.torch.batch import mlp
from cytobench.torch.mlp import MlpClassifier, MlpRegressor

DEFAULTS = {
    "width": 32,
    "depth": 1,
    "dropout": 0.3,
    "learning_rate": 3e-3,
    "weight_decay": 1e-2,
    "members": 3,
    "precision": "full",
}
"""Parameters as the plugin's."""

SETTINGS = [
    {},
    {"width": 8, "dropout": 0.0, "learning_rate": 1e-2},
    {"width": 64, "depth": 2, "dropout": 0.5, "weight_decay": 1.0},
    {"width": 16, "depth": 2, "learning_rate": 1e-3, "members": 1},
    {"dropout": 1.0},
]


def problem(params=None, *, n=150, new=40, features=9, seed=0, kind="classification"):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n + new, features))
    score = X[:, 0] - X[:, 1] + X[:, 2] * X[:, 3] + draw.normal(size=n + new)
    y = score if kind == "regression" else (score > 0).astype(float)
    part = Problem(X[:n], y[:n], X[n:], {**DEFAULTS, **(params or {})}, random_state=seed // 2)
    return part, y[n:]


def plain(part, kind="classification"):
    if kind == "regression":
        network = MlpRegressor(**part.params, device="cpu", random_state=part.random_state)
        return network.fit(part.X, part.y).predict(part.X_new)
    network = MlpClassifier(**part.params, device="cpu", random_state=part.random_state)
    return network.fit(part.X, part.y).predict_proba(part.X_new)[:, 1]


def solved(parts, kind="classification"):
    return mlp(parts, kind=kind, device="cpu")


@pytest.fixture(scope="module")
def varied():
    """Problems of several shapes, sizes and settings."""
    return [
        problem(setting, n=n, seed=seed)[0]
        for seed, n in enumerate((150, 152, 97))
        for setting in SETTINGS
    ]


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_every_setting_is_answered_as_by_the_plain_estimator(kind, setting):
    parts = [problem(setting, n=n, seed=n, kind=kind)[0] for n in (120, 123)]

    for part, prediction in zip(parts, solved(parts, kind), strict=True):
        # Sums in another order, in single precision, epoch after epoch.
        np.testing.assert_allclose(prediction, plain(part, kind), atol=1e-5)


def test_the_auc_of_every_problem_is_that_of_the_plain_estimator():
    drawn = np.random.default_rng(0)
    asked = [
        problem(
            {
                "width": int(drawn.choice([8, 16, 32, 64])),
                "depth": int(drawn.integers(1, 3)),
                "dropout": drawn.uniform(0, 0.5),
                "learning_rate": 10 ** drawn.uniform(-3, -2),
                "weight_decay": 10 ** drawn.uniform(-3, 0),
            },
            n=160,
            new=80,
            features=31,
            seed=seed,
        )
        for seed in range(24)
    ]

    together = solved([part for part, _ in asked])

    for (part, y_new), prediction in zip(asked, together, strict=True):
        alone = roc_auc_score(y_new, plain(part))
        assert roc_auc_score(y_new, prediction) == pytest.approx(alone, abs=1e-3)


def test_an_answer_depends_on_its_own_problem_only_to_the_last_bit(varied):
    together = solved(varied)

    backwards = solved(varied[::-1])[::-1]
    alone = [solved([part])[0] for part in varied]

    for one, other, single in zip(together, backwards, alone, strict=True):
        assert one.tobytes() == other.tobytes() == single.tobytes()


def test_chunks_of_any_size_give_the_same_bits(varied, monkeypatch):
    together = solved(varied)

    monkeypatch.setitem(batch.BUDGET, "cpu", 2**18)

    assert [p.tobytes() for p in solved(varied)] == [p.tobytes() for p in together]


def test_large_problems_train_in_mini_batches_like_the_plain_estimator():
    parts = [problem({"width": 8}, n=n, seed=3)[0] for n in (700, 701, 1100)]

    together = solved(parts)

    for part, prediction in zip(parts, together, strict=True):
        np.testing.assert_allclose(prediction, plain(part), atol=1e-5)
        assert prediction.tobytes() == solved([part])[0].tobytes()


def test_where_torch_draws_otherwise_dropout_is_the_same_all_the_same(varied, monkeypatch):
    expected = solved(varied[:5])

    monkeypatch.setattr(draws, "_compares_doubles", lambda: False)

    assert [p.tobytes() for p in solved(varied[:5])] == [p.tobytes() for p in expected]


@pytest.mark.parametrize("how", ["same", "otherwise"])
@pytest.mark.parametrize("share", [0.5, 0.77])
def test_kept_units_are_those_that_torch_keeps(how, share, monkeypatch):
    if how == "otherwise":
        monkeypatch.setattr(draws, "_compares_doubles", lambda: False)
    seeded = [torch.Generator().manual_seed(5) for _ in range(2)]
    masks = [torch.zeros(2, 7, 5) for _ in range(3)]

    draw = draws.Draw((2, 7, 5), seeded[0])
    draw.keep(0.1, masks[0])
    draw.keep(share, masks[1])
    draw.keep(share, masks[2])

    expected = torch.empty(2, 7, 5).bernoulli_(share, generator=seeded[1])
    assert torch.equal(masks[1], expected)
    assert torch.equal(masks[2], expected)
    assert torch.equal(seeded[0].get_state(), seeded[1].get_state())


def test_neither_generators_nor_threads_of_the_process_are_touched():
    part, _ = problem()
    torch.manual_seed(3)
    before = torch.get_rng_state(), torch.get_num_threads()

    solved([part])

    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


@pytest.mark.parametrize("setting", [{"precision": "mixed"}, {"depth": 0}], ids=str)
def test_rare_settings_are_left_to_the_plain_estimator(setting):
    part, _ = problem(setting)

    with pytest.raises(NotImplementedError, match="one by one"):
        solved([part])


def test_what_the_plain_estimator_refuses_is_refused():
    part, _ = problem()
    one_class = Problem(part.X, np.ones(len(part.y)), part.X_new, part.params, 0)
    missing = Problem(np.full_like(part.X, np.nan), part.y, part.X_new, part.params, 0)
    diverging, _ = problem({"learning_rate": 1e30})

    with pytest.raises(ValueError, match="one class only"):
        solved([one_class])
    with pytest.raises(ValueError, match="X holds NaN"):
        solved([missing])
    with pytest.raises(ValueError, match="members=0"):
        solved([problem({"members": 0})[0]])
    with pytest.raises(ValueError, match="it is a share"):
        solved([problem({"dropout": 1.5})[0]])
    with pytest.raises(FloatingPointError, match="not finite"):
        solved([part, diverging])
