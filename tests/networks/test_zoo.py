"""The neural zoo: what each network is made for, it finds; what it needs, it says."""

import sys
import types

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from cytobench import NotApplicable, PluginError, estimator
from cytobench.core.hashing import file_digest
from cytobench.torch.conditioned import ConditionedClassifier
from cytobench.torch.graph import GraphClassifier

NETWORKS = ["tabm", "ft_transformer", "realmlp", "cytokine_graph", "treatment_conditioned"]


def build(name, **parameters):
    if name in ("tabm", "ft_transformer"):
        pytest.importorskip({"ft_transformer": "rtdl_revisiting_models"}.get(name, name))
    return estimator(name, random_state=3, device="cpu", **parameters)


def patients(n, seed, columns):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(draw.normal(size=(n, len(columns))), columns=columns), draw


def auc(fitted, X, y):
    return roc_auc_score(y, fitted.predict_proba(X)[:, 1])


@pytest.mark.parametrize("name", NETWORKS)
def test_members_and_checkpointed_state_survive_clone_and_repeat(name):
    X, draw = patients(60, 0, ["IL-6", "CRP", "arm_A", "arm_B"])
    y = (X["IL-6"] + draw.normal(size=60) > 0).astype(int)
    network = build(name)

    first, second = (clone(network).fit(X, y).predict_proba(X) for _ in range(2))

    assert first.tobytes() == second.tobytes()
    assert {"train_loss", "valid_loss"} == set(clone(network).fit(X, y).learning_curves_)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_patient_is_predicted_as_among_others(name):
    X, draw = patients(60, 0, ["IL-6", "CRP", "age"])
    y = (X["IL-6"] + draw.normal(size=60) > 0).astype(int)
    fitted = build(name).fit(X, y)

    alone = np.vstack([fitted.predict_proba(X.iloc[[row]]) for row in range(10)])

    np.testing.assert_allclose(alone, fitted.predict_proba(X)[:10], atol=1e-6)


def crossover(n, seed):
    """Under A high IL-6 is good, under B low IL-6: no main effect of either."""
    X, draw = patients(n, seed, ["IL-6", "CRP", "TNF-α", "age"])
    arm = draw.choice(["A", "B"], n)
    X["arm_A"], X["arm_B"] = (arm == "A").astype(float), (arm == "B").astype(float)
    logit = 3 * X["IL-6"] * np.where(arm == "A", 1, -1)
    return X, (draw.random(n) < 1 / (1 + np.exp(-logit))).astype(int)


def test_the_conditioned_network_finds_what_the_treatment_turns_around():
    X, y = crossover(240, 1)
    X_new, y_new = crossover(600, 2)

    conditioned = build("treatment_conditioned", arm="arm").fit(X, y)
    linear = estimator("ridge").fit(X, y)

    assert auc(conditioned, X_new, y_new) > 0.75
    assert auc(linear, X_new, y_new) < 0.6, "main effects alone tell nothing"


def test_changing_the_arm_changes_the_prediction_as_it_should():
    X, y = crossover(400, 1)
    fitted = build("treatment_conditioned", arm="arm").fit(X, y)
    high = X[X["IL-6"] > 1].copy()
    high["arm_A"], high["arm_B"] = 1.0, 0.0
    under_a = fitted.predict_proba(high)[:, 1].mean()
    high["arm_A"], high["arm_B"] = 0.0, 1.0
    under_b = fitted.predict_proba(high)[:, 1].mean()

    assert under_a > 0.6 > 0.4 > under_b


def test_the_arm_is_known_by_its_column_and_its_absence_is_no_error():
    X, y = crossover(60, 1)

    with_arm = ConditionedClassifier(arm="arm", random_state=0, device="cpu").fit(X, y)
    without = ConditionedClassifier(arm=None, random_state=0, device="cpu").fit(X, y)
    only_arm = ConditionedClassifier(arm="arm", random_state=0, device="cpu").fit(X[["arm_A"]], y)

    (network, *_) = with_arm.ensemble_.members
    assert network.treatment.tolist() == [4, 5]
    assert without.ensemble_.members[0].film is None
    assert only_arm.predict_proba(X[["arm_A"]]).shape == (60, 2)


def test_the_framework_tells_a_model_which_column_is_the_arm(toy_plugins):
    from cytobench.run.cells import load_cell
    from cytobench.run.jobs import plan_jobs
    from cytobench.run.outer_fold import OuterFold

    asked = ["dataset=toy", "model=treatment_conditioned", "tuning=off", "floors=[]"]
    fold = OuterFold(load_cell(plan_jobs(asked).cells[0]), 0)
    train, _ = fold.encode(fold.split.train, fold.split.test)

    fitted = fold.fit({}, train)

    assert fitted.arm == "arm"
    assert len(fitted.ensemble_.members[0].treatment) == 2


def test_messages_go_along_the_edges_of_the_signalling_network():
    X, draw = patients(60, 0, ["IL-6", "CRP", "age"])
    y = (X["IL-6"] + draw.normal(size=60) > 0).astype(int)
    network = GraphClassifier(random_state=0, device="cpu").fit(X, y).ensemble_.members[0]

    assert network.inducing.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]], "IL-6 induces CRP"
    assert not network.suppressing.any()


def test_an_array_has_no_names_and_so_no_edges():
    X, draw = patients(60, 0, ["IL-6", "CRP", "age"])
    y = (X["IL-6"] + draw.normal(size=60) > 0).astype(int)
    network = GraphClassifier(random_state=0, device="cpu").fit(X.to_numpy(), y).ensemble_

    assert not network.members[0].inducing.any()


def test_the_graph_finds_an_effect_of_two_neighbours_together():
    def cohort(n, seed):
        X, draw = patients(n, seed, ["IL-6", "CRP", "TNF-α", "IL-10", "age"])
        together = np.maximum(X["IL-6"] + X["CRP"], 0)  # a message, and what relu makes of it
        logit = 3 * together - 2
        return X, (draw.random(n) < 1 / (1 + np.exp(-logit))).astype(int)

    X, y = cohort(240, 1)
    X_new, y_new = cohort(600, 2)

    assert auc(build("cytokine_graph").fit(X, y), X_new, y_new) > 0.8


def test_members_that_share_weights_hold_out_the_same_rows():
    pytest.importorskip("tabm")
    from cytobench.torch import estimator as module

    seen = []
    original = module.train

    def spy(ensemble, X, y, holdout, *others):
        seen.append(holdout)
        return original(ensemble, X, y, holdout, *others)

    X, draw = patients(80, 0, ["a", "b"])
    y = (X["a"] + draw.normal(size=80) > 0).astype(int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train", spy)
        build("tabm").fit(X, y)

    (holdout,) = seen
    assert holdout.valid.shape[0] == 16
    assert bool((holdout.valid == holdout.valid[0]).all())
    assert not set(holdout.train[0].tolist()) & set(holdout.valid[0].tolist())


def test_a_pretrained_model_needs_a_file(monkeypatch):
    with pytest.raises(NotApplicable, match=r"E225.*model.weights=PATH"):
        estimator("tabpfn_file")


def test_a_file_that_is_missing_or_another_is_refused(tmp_path):
    path = tmp_path / "weights.ckpt"
    with pytest.raises(PluginError, match=r"E226.*no such file"):
        estimator("tabpfn_file", weights=str(path))
    path.write_bytes(b"weights")
    with pytest.raises(PluginError, match=r"E226.*not those that sha256 names"):
        estimator("tabpfn_file", weights=str(path), sha256="0" * 64)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_pretrained_model_gets_the_file_the_seed_and_the_device(tmp_path, monkeypatch, kind):
    # A stand-in with the signature of tabpfn 9.2: the package and its weights are not here.
    class Pretrained:
        def __init__(self, *, model_path="auto", n_estimators="auto", device="auto",
                     random_state=0):  # fmt: skip
            self.given = (model_path, n_estimators, device, random_state)

        def fit(self, X, y):
            """As an estimator has."""

        predict = predict_proba = fit

    module = types.ModuleType("tabpfn")
    module.TabPFNClassifier = module.TabPFNRegressor = Pretrained
    monkeypatch.setitem(sys.modules, "tabpfn", module)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = tmp_path / "weights.ckpt"
    path.write_bytes(b"weights")

    built = estimator(
        "tabpfn_file", kind=kind, weights=str(path), sha256=file_digest(path), random_state=5,
        device="cpu",
    )  # fmt: skip

    assert built.given == (str(path), 8, "cpu", 5)
