"""Every bundled model of treatment benefit answers as it declares, repeats itself, and learns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cytobench.plugins.models.personalized_advantage import with_interactions
from support.benefit import SALT, first_fold, loaded

from cytobench import NotApplicable
from cytobench.core.errors import PluginError
from cytobench.plugins import bundled
from cytobench.registry.discover import discover
from cytobench.registry.load import contract_of, load_model
from cytobench.run.fold import run_fold

FOLDER = bundled("plugins").resolve() / "models"
MODELS = {
    name: plugin.card
    for name, plugin in discover("model").items()
    if "benefit" in plugin.card.tasks and str(FOLDER) in plugin.origin
}
RULES = ("crp_rule", "policy_tree", "random_rule", "treat_all")
EFFECTS = ("t_learner", "x_learner", "r_learner", "dr_learner", "causal_forest")
OUTCOMES = ("s_learner", "personalized_advantage", "treatment_conditioned")
COMPOSED = [
    f"{name} model.base={base}"
    for name in ("s_learner", "t_learner", "x_learner", "dr_learner")
    for base in ("ridge", "random_forest")
] + ["r_learner model.base=random_forest", "r_learner model.base=extra_trees"]
ALL = [*(name for name in MODELS if MODELS[name].composed is None), *COMPOSED]
CROSSOVER = {"dataset": "sim_crossover"}
FEW = ("dataset.n=140", "task.smallest_arm=10")
MANY = ("dataset.n=1500", "dataset.effect=2")
ARMS = ("dopaminergic", "serotonergic")


def build(name, arms=ARMS, **params):
    card = MODELS[name]
    if card.extra:
        pytest.importorskip(card.extra)
    # A base is named in the composed node, as on the command line.
    model = load_model({"name": name, **card.parameters, **params, "space": {}})
    return model.build(
        {}, random_state=0, kind="classification", device="cpu", units={"CRP": "mg/L"}, arms=arms
    )


def overrides(model):
    name, *more = model.split()
    if MODELS[name].extra:
        pytest.importorskip(MODELS[name].extra)
    return [f"model={name}", *more]


def values(fold, what):
    return np.column_stack([fold.predictions.by_arm[what][arm] for arm in fold.arms])


def test_the_bundled_models_are_all_found():
    assert set(MODELS) == {*RULES, *EFFECTS, *OUTCOMES}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_keeps_the_contract_that_its_methods_declare(name):
    expected = {**dict.fromkeys(RULES, "rule"), **dict.fromkeys(EFFECTS, "effect")}

    assert contract_of(build(name)) == expected.get(name, "outcome")


SLOW = ("causal_forest", "random_forest", "extra_trees", "treatment_conditioned")
BY_SPEED = [
    pytest.param(model, marks=[pytest.mark.slow] if model.endswith(SLOW) else []) for model in ALL
]


@pytest.mark.parametrize("model", BY_SPEED)
def test_a_model_runs_a_fold_and_repeats_it_to_the_bit(model):
    words = overrides(model)

    first, again = (first_fold(*words, *FEW, **CROSSOVER) for _ in range(2))

    assert first.predictions == again.predictions
    assert first.arms == ARMS
    assert set(first.predictions.prediction) <= {0.0, 1.0}
    assert ("predicted" in first.predictions.by_arm) == (model.split()[0] not in RULES)
    assert first.warnings == []


@pytest.mark.parametrize("name", ["causal_forest", "random_rule", "treatment_conditioned"])
def test_another_seed_is_another_answer(name):
    words = overrides(name)

    one, other = (first_fold(*words, *FEW, f"seed={seed}", **CROSSOVER) for seed in (0, 1))

    assert one.predictions.prediction != other.predictions.prediction


def test_a_percent_change_is_an_outcome_too():
    for name in ("t_learner", "personalized_advantage", "policy_tree"):
        fold = first_fold(*overrides(name), *FEW, "task.outcome=percent_change", **CROSSOVER)

        assert np.isfinite(fold.predictions.prediction).all()


# What is learnt.


@pytest.mark.slow
@pytest.mark.parametrize("model", [*EFFECTS, *OUTCOMES, "s_learner model.base=random_forest"])
def test_a_learner_orders_patients_by_their_true_effect(model):
    fold = first_fold(*overrides(model), *MANY, **CROSSOVER)

    predicted, truth = (np.diff(values(fold, what))[:, 0] for what in ("predicted", "truth"))
    agreement = np.array(fold.predictions.prediction) == values(fold, "truth").argmax(axis=1)
    assert np.corrcoef(predicted, truth)[0, 1] > 0.3
    assert agreement.mean() > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["policy_tree", "crp_rule"])
def test_a_rule_agrees_with_the_optimal_one(name):
    fold = first_fold(*overrides(name), *MANY, **CROSSOVER)

    best = values(fold, "truth").argmax(axis=1)
    assert (np.array(fold.predictions.prediction) == best).mean() > 0.75


@pytest.mark.slow
def test_a_lot_agrees_with_the_optimal_rule_by_chance():
    fold = first_fold("model=random_rule", *MANY, **CROSSOVER)

    best = values(fold, "truth").argmax(axis=1)
    assert 0.4 < (np.array(fold.predictions.prediction) == best).mean() < 0.6


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_of_the_second_arm_over_the_first(name):
    """Arms are told apart by their labels' order, not by which came first."""
    draw = np.random.default_rng(0)
    X = pd.DataFrame(draw.normal(size=(300, 3)), columns=list("abc"))
    arm = np.where(draw.random(300) < 0.5, "serotonergic", "dopaminergic")
    y = 2.0 * (arm == "serotonergic") + 0.1 * draw.normal(size=300)

    effect = build(name).fit(X, y, arm).predict_effect(X)

    assert effect.shape == (300, 1)
    assert effect.mean() == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("name", ["t_learner", "x_learner", "dr_learner"])
def test_a_learner_of_three_arms_gives_two_effects(name):
    draw = np.random.default_rng(0)
    X = pd.DataFrame(draw.normal(size=(240, 3)), columns=list("abc"))
    arm = draw.choice(["A", "B", "C"], 240)
    y = np.select([arm == "B", arm == "C"], [1.0, 3.0], 0.0) + 0.1 * draw.normal(size=240)

    effect = build(name, arms=("A", "B", "C")).fit(X, y, arm).predict_effect(X)

    np.testing.assert_allclose(effect.mean(axis=0), [1, 3], atol=0.3)


def test_a_policy_tree_names_the_better_of_three_arms():
    draw = np.random.default_rng(0)
    X = pd.DataFrame(draw.normal(size=(400, 2)), columns=list("ab"))
    arm = draw.choice(["A", "B", "C"], 400)
    best = np.where(X["a"] > 0, "C", "B")
    y = (arm == best) + 0.1 * draw.normal(size=400)

    tree = build("policy_tree", arms=("A", "B", "C")).fit(X, y, arm)

    assert (tree.recommend(X) == best).mean() > 0.9
    assert tree.learner_.policy_model_.get_depth() <= 2


# Bases.


@pytest.mark.parametrize("base", ["knn", "ridge"])
def test_an_r_learner_refuses_a_base_that_takes_no_weights(base):
    with pytest.raises(NotApplicable, match=f"{base} takes no weights") as caught:
        loaded("model=r_learner", f"model.base={base}", *FEW, **CROSSOVER)

    assert caught.value.code == "E225"
    assert "random_forest" in caught.value.hint


def test_an_r_learner_refuses_a_third_arm():
    with pytest.raises(NotApplicable, match="there are 3") as caught:
        loaded(
            "model=r_learner", "task.arms=[SSRI,TCA,ketamine]", "dataset.n=300",
            "task.smallest_arm=10", dataset="sim_classes",
        )  # fmt: skip

    assert caught.value.code == "E221"


@pytest.mark.parametrize("name", ["t_learner", "x_learner", "r_learner", "dr_learner"])
def test_a_model_of_classes_is_no_base_of_an_effect(name):
    """A classifier has a predict() too, and would answer with labels."""
    with pytest.raises(NotApplicable, match="lda predicts no number"):
        build(name, base="lda")


@pytest.mark.parametrize("base", ["stacking", "t_learner", "crp_rule"])
def test_a_base_that_is_composed_or_raw_is_refused_with_one_name_in_the_hint(base):
    with pytest.raises(PluginError) as caught:
        build("t_learner" if base != "t_learner" else "x_learner", base=base)

    assert caught.value.code == "E224"
    assert caught.value.hint.endswith("model.base=random_forest")


def test_a_change_of_the_base_is_another_cell():
    keys = {loaded(*words.split(), *FEW, **CROSSOVER).key
            for words in ("model=t_learner", "model=t_learner model.base=elastic_net",
                          "model=x_learner")}  # fmt: skip

    assert len(keys) == 3


# Rules.


@pytest.mark.parametrize(
    ("arms", "below", "above"),
    [
        (ARMS, "serotonergic", "dopaminergic"),
        (("escitalopram", "nortriptyline"), "escitalopram", "nortriptyline"),
        (
            ("escitalopram", "escitalopram + bupropion"),
            "escitalopram", "escitalopram + bupropion",
        ),
        (("SSRI", "TCA"), "SSRI", "TCA"),
    ],
)  # fmt: skip
def test_the_published_cut_off_knows_its_arms_and_its_side(arms, below, above):
    rule = build("crp_rule", arms=arms)
    X = pd.DataFrame({"CRP": [0.2, 0.99, 1.0, 4.0, np.nan]})

    assert rule.recommend(X).tolist() == [below, below, above, above, below]


@pytest.mark.parametrize("arms", [("SSRI", "SNRI"), ("SSRI", "SNRI", "ketamine"), ("A", "B")])
def test_arms_that_are_not_those_of_its_trials_are_refused(arms):
    with pytest.raises(NotApplicable, match="not plain from the arms") as caught:
        build("crp_rule", arms=arms)

    assert caught.value.code == "E221"
    assert "model." in caught.value.hint
    named = build("crp_rule", arms=arms, below=arms[0], above=arms[1])
    assert named.recommend(pd.DataFrame({"CRP": [9.0]})).tolist() == [arms[1]]


def test_a_cut_off_in_another_unit_is_refused():
    model = load_model({"name": "crp_rule", **MODELS["crp_rule"].parameters, "space": {}})

    with pytest.raises(NotApplicable, match="mg/L"):
        model.build({}, random_state=0, kind="classification", units={"CRP": "nmol/L"}, arms=ARMS)


def test_one_for_all_is_the_best_of_training_or_the_named():
    X = pd.DataFrame({"x": np.zeros(4)})
    y, arm = [0.0, 1.0, 1.0, 1.0], ["A", "A", "B", "B"]

    best = build("treat_all", arms=("A", "B")).fit(X, y, arm)
    named = build("treat_all", arms=("A", "B"), treatment="A").fit(X, y, arm)

    assert set(best.recommend(X)) == {"B"}
    assert set(named.recommend(X)) == {"A"}
    with pytest.raises(NotApplicable, match="no arm 'C'"):
        build("treat_all", arms=("A", "B"), treatment="C")


def test_a_lot_is_even_and_nobodys_depends_on_who_else_is_asked():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 2)), columns=list("ab"))
    lot = build("random_rule", arms=("A", "B", "C")).fit(X, None, ["A", "B", "C"] * 200)

    said = lot.recommend(X)

    assert all(160 < (said == arm).sum() < 240 for arm in "ABC")
    assert lot.recommend(X.iloc[::-7]).tolist() == said[::-7].tolist()


# The personalised advantage index.


def test_every_marker_is_crossed_with_every_arm_and_with_nothing_else():
    X = pd.DataFrame(
        {"IL-6": [2.0, 3.0], "drug_history": [5.0, 7.0], "drug_A": [1.0, 0.0], "drug_B": [0.0, 1.0]}
    )

    crossed = with_interactions(X, ["drug_A", "drug_B"])

    np.testing.assert_array_equal(
        crossed,
        [[2, 5, 1, 0, 2, 5, 0, 0], [3, 7, 0, 1, 0, 0, 3, 7]],
    )


def test_without_an_arm_the_index_is_a_plain_regression():
    X = np.arange(6.0).reshape(3, 2)

    np.testing.assert_array_equal(with_interactions(X, []), X)


@pytest.mark.parametrize("dataset", ["sim_crossover", "sim_comed"])
def test_the_arms_columns_are_found_in_a_fold_whatever_the_arms_are_called(dataset):
    """A regression without interactions would predict one effect for all."""
    fold = run_fold(
        loaded("model=personalized_advantage", "task.smallest_arm=10", dataset=dataset), 0, SALT
    )

    assert np.ptp(np.diff(values(fold, "predicted"))) > 1e-3
