"""What is said of a rule from its stored folds equals grf, R and Hmisc, and the hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from cytobench.core.result import FoldResult, Predictions
from cytobench.evaluate.benefit.assessment import BenefitAssessment
from cytobench.tracking.benefit_record import value_of_fold

REFERENCE = Path(__file__).parents[2] / "reference"
EXPECTED = json.loads((REFERENCE / "itr_expected.json").read_text())
TABLE = pd.read_csv(REFERENCE / "itr_fixture.csv")
N = len(TABLE)
ARMS = ("0", "1")
Z = float(ndtri(0.975))


def fold(rows=slice(None), *, number=0, repeat=0, choice=None, predicted=True, **changes):
    """Some patients of the reference trial, treated where the predicted effect is positive."""
    part = TABLE.iloc[rows]
    chosen = (part.tau > 0).to_numpy(float) if choice is None else np.full(len(part), float(choice))
    by_arm = {
        "outcome": {"0": part.m0.tolist(), "1": part.m1.tolist()},
        "propensity": {arm: [0.5] * len(part) for arm in ARMS},
        "truth": {"0": part.ptrue0.tolist(), "1": part.ptrue1.tolist()},
    }
    if predicted:
        by_arm["predicted"] = {"0": [0.0] * len(part), "1": part.tau.tolist()}
    unknown = [float("nan")] * len(part)
    made = FoldResult(
        fold=number, repeat=repeat, n_train=N,
        predictions=Predictions(
            [f"p{i}" for i in part.id], part.y.tolist(), chosen.tolist(),
            [str(arm) for arm in part.arm], [""] * len(part), unknown, by_arm=by_arm,
        ),
        params={}, trials=[], threshold=None, train_mean=0.5, timings={"fit": 0.5},
        arms=ARMS, best_single="1",
    )  # fmt: skip
    return replace(made, **changes)


def parts(k=3, repeats=1, **changes):
    """The trial in `k` test parts, cut anew in every repeat."""
    made = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(N)
        made += [
            fold(np.sort(rows), number=repeat * k + j, repeat=repeat, **changes)
            for j, rows in enumerate(np.array_split(order, k))
        ]
    return made


def se(estimate):
    return (estimate.high - estimate.low) / 2 / Z


WHOLE = BenefitAssessment([fold()])


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("value", EXPECTED["policy"]["tau_gt0"]["aipw"], EXPECTED["policy"]["tau_gt0"]["aipw_se"]),
        ("value_hajek", EXPECTED["policy"]["tau_gt0"]["hajek"], None),
        ("value_ipw", EXPECTED["policy"]["tau_gt0"]["ipw"], None),
        ("autoc", EXPECTED["tau"]["AUTOC"], None),
        ("qini", EXPECTED["tau"]["QINI"], None),
        (
            "c_for_benefit",
            EXPECTED["cforbenefit_rankmatch"]["tau"]["C"],
            EXPECTED["cforbenefit_rankmatch"]["tau"]["SD"],
        ),
        ("factual_contrast", EXPECTED["pai"]["diff"], None),
        ("true_value", EXPECTED["true_value"]["tau_gt0"], None),
        (
            "regret",
            EXPECTED["true_value"]["oracle"] - EXPECTED["true_value"]["tau_gt0"],
            None,
        ),
    ],
)
def test_one_stored_fold_gives_the_reference_values(name, value, error):
    found = WHOLE.estimate(name)

    assert found.value == pytest.approx(value, abs=1e-9)
    assert error is None or se(found) == pytest.approx(error, abs=1e-9)


@pytest.mark.parametrize("name", ["AUTOC", "QINI"])
def test_the_bootstrap_of_a_targeting_area_agrees_with_grf(name):
    found = WHOLE.estimate(name.lower())

    assert se(found) == pytest.approx(EXPECTED["tau"][f"{name}_se_boot2000"], rel=0.15)


def test_the_gain_over_the_best_single_arm_is_paired():
    expected = EXPECTED["policy"]["tau_vs_all1"]

    assert WHOLE.gain.difference.value == pytest.approx(expected["diff"], abs=1e-9)
    assert se(WHOLE.gain.difference) == pytest.approx(expected["se"], abs=1e-9)
    assert WHOLE.changed == pytest.approx((TABLE.tau <= 0).mean())


def test_value_slope_and_agreement_by_hand():
    contrast, tau = TABLE.aipw.to_numpy(), TABLE.tau.to_numpy()
    slope = np.polyfit(tau, contrast, 1)[0]
    gained = (TABLE.ptrue1 - TABLE.ptrue0).to_numpy()
    alike = ((tau > 0) == (gained > 0)).mean()

    assert WHOLE.estimate("benefit_slope").value == pytest.approx(slope, abs=1e-9)
    large = WHOLE.estimate("benefit_in_the_large")
    assert large.value == pytest.approx((contrast - tau).mean(), abs=1e-12)
    assert se(large) == pytest.approx((contrast - tau).std(ddof=1) / np.sqrt(N), rel=1e-9)
    assert WHOLE.estimate("agreement").value == pytest.approx(alike)


def test_groups_and_the_targeting_curve_are_those_of_the_trial():
    (groups,), (curve,) = WHOLE.groups, WHOLE.toc
    lowest = TABLE.tau <= TABLE.tau.quantile(0.25)

    assert sum(group.n for group in groups) == N
    assert groups[0].effect.value == pytest.approx(TABLE.aipw[lowest].mean(), abs=0.02)
    assert curve[N // 10 - 1] == pytest.approx(EXPECTED["tau"]["TOC"]["0.1"], abs=1e-9)
    assert curve[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["value", "value_ipw", "factual_contrast", "true_value"])
def test_the_cut_into_folds_does_not_matter_for_a_value(name):
    assert BenefitAssessment(parts()).estimate(name).value == pytest.approx(
        WHOLE.estimate(name).value, abs=1e-12
    )


def test_targeting_is_a_mean_over_test_parts():
    """Pooling priorities of several models would count their differences as patients'."""
    folds = parts()
    shifted = [
        replace(
            item,
            predictions=replace(
                item.predictions,
                by_arm={
                    **item.predictions.by_arm,
                    "predicted": {
                        "0": [5.0 * item.fold] * len(item.predictions.y),
                        "1": (np.array(item.predictions.by_arm["predicted"]["1"])).tolist(),
                    },
                },
            ),
        )
        for item in folds
    ]

    each = [BenefitAssessment([item], smallest_arm=2).estimate("autoc").value for item in folds]
    assert BenefitAssessment(folds).estimate("autoc").value == pytest.approx(np.mean(each))
    for name in ("autoc", "qini", "benefit_slope"):
        here, there = (BenefitAssessment(some).estimate(name).value for some in (folds, shifted))
        assert here == pytest.approx(there, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["value", "value_hajek", "autoc", "qini", "c_for_benefit", "benefit_slope",
             "benefit_in_the_large", "factual_contrast", "true_value", "regret"]
)  # fmt: skip
def test_repeats_of_the_same_folds_do_not_shrink_an_interval(name):
    once = parts()
    thrice = [replace(item, repeat=r, fold=3 * r + item.fold) for r in range(3) for item in once]

    one, three = BenefitAssessment(once), BenefitAssessment(thrice)

    assert three.n == one.n == N
    assert three.estimate(name).value == pytest.approx(one.estimate(name).value, abs=1e-9)
    assert se(three.estimate(name)) == pytest.approx(se(one.estimate(name)), rel=1e-6)
    assert se(three.gain.difference) == pytest.approx(se(one.gain.difference), rel=1e-9)


def test_the_patients_order_in_a_repeat_does_not_matter():
    """A patient's contribution is averaged over the repeats that tested him, wherever he stood."""
    found = BenefitAssessment(parts(k=4, repeats=2))

    assert found.estimate("value").value == pytest.approx(WHOLE.estimate("value").value, abs=1e-12)
    assert se(found.estimate("value")) == pytest.approx(se(WHOLE.estimate("value")), rel=1e-9)


def test_the_best_single_arm_is_that_of_each_training_part():
    folds = [replace(item, best_single=str(item.fold % 2)) for item in parts(k=2)]
    found = BenefitAssessment(folds)

    chosen = found.best_single[0].choice
    assert (chosen[: N // 2] == 0).all()
    assert (chosen[N // 2 :] == 1).all()


def test_one_arm_for_all_gains_nothing_over_itself():
    found = BenefitAssessment([fold(choice=1, predicted=False)])

    assert found.estimate("value").value == pytest.approx(EXPECTED["policy"]["all1"]["aipw"])
    assert (found.gain.difference.value, found.gain.p, found.gain.changed) == (0, 1, 0)
    assert found.decided[0].choice.tolist() == found.everybody(1)[0].choice.tolist()


@pytest.mark.parametrize("name", ["autoc", "qini", "c_for_benefit", "benefit_slope"])
def test_a_rule_has_no_number_that_needs_an_effect(name):
    found = BenefitAssessment([fold(predicted=False)]).estimate(name)

    assert np.isnan(found.value)
    assert found.method == "undefined: a rule predicts no effect"


def test_a_constant_effect_ranks_nobody():
    flat = fold()
    by_arm = {**flat.predictions.by_arm, "predicted": {arm: [0.1] * N for arm in ARMS}}
    found = BenefitAssessment([replace(flat, predictions=replace(flat.predictions, by_arm=by_arm))])

    assert found.estimate("autoc").value == pytest.approx(0, abs=1e-12)
    assert np.isnan(found.estimate("benefit_slope").value)
    assert np.isnan(found.estimate("c_for_benefit").value)


def predicting(folds, effect):
    """The folds with other predicted effects, a function of fold and present effects."""
    return BenefitAssessment(
        [
            replace(
                part,
                predictions=replace(
                    part.predictions,
                    by_arm={
                        **part.predictions.by_arm,
                        "predicted": {
                            "0": [0.0] * len(part.predictions.y),
                            "1": effect(part, part.predictions.by_arm["predicted"]["1"]),
                        },
                    },
                ),
            )
            for part in folds
        ]
    )


def test_what_models_of_different_folds_differ_by_orders_nobody():
    """Each fold's model is by 0.1 more optimistic than the last: patients are ordered as before."""
    folds = parts(k=3, repeats=2)
    plain = BenefitAssessment(folds)
    shifted = predicting(folds, lambda part, tau: [value + 0.1 * part.fold for value in tau])

    for name in ("c_for_benefit", "benefit_slope", "autoc", "qini"):
        assert shifted.estimate(name).value == pytest.approx(plain.estimate(name).value, abs=1e-9)
    for one, other in zip(shifted.groups[0], plain.groups[0], strict=True):
        assert one.effect.value == pytest.approx(other.effect.value, abs=1e-9)
    np.testing.assert_allclose(shifted.toc[0], plain.toc[0], atol=1e-9)


def test_one_effect_for_all_of_a_fold_is_one_effect():
    """The effect of the training part, low where that of the test part is high."""
    found = predicting(parts(k=5), lambda part, tau: [1 / (3 + part.fold)] * len(tau))

    assert np.isnan(found.estimate("c_for_benefit").value)
    assert len(found.groups[0]) == 1
    np.testing.assert_allclose(found.toc[0], 0, atol=1e-12)


def test_without_a_truth_nothing_is_said_of_it():
    bare = fold()
    by_arm = {what: arms for what, arms in bare.predictions.by_arm.items() if what != "truth"}
    found = BenefitAssessment([replace(bare, predictions=replace(bare.predictions, by_arm=by_arm))])

    assert np.isnan(found.estimate("regret").value)
    assert found.optimal is None


def test_the_best_that_is_possible():
    best, single = WHOLE.optimal

    assert best == pytest.approx(EXPECTED["true_value"]["oracle"], abs=1e-9)
    assert single == pytest.approx(EXPECTED["true_value"]["all1"], abs=1e-9)


def test_a_small_arm_refuses_every_number_in_words():
    few = BenefitAssessment([fold(slice(0, 30))], smallest_arm=20)

    assert "patients, fewer than 20" in few.refusal
    assert all(np.isnan(estimate.value) for estimate in few.estimates.values())
    assert {estimate.method for estimate in few.estimates.values()} == {"undefined: refused"}
    assert BenefitAssessment([fold(slice(0, 30))], smallest_arm=10).refusal is None


def test_a_patient_who_could_hardly_get_an_arm_refuses_the_comparison():
    item = fold()
    rare = [0.01] + [0.5] * (N - 1)
    if TABLE.arm[0] == 1:
        propensity = {"0": rare, "1": [1 - p for p in rare]}
    else:
        propensity = {"0": [1 - p for p in rare], "1": rare}
    by_arm = {**item.predictions.by_arm, "propensity": propensity}
    found = BenefitAssessment([replace(item, predictions=replace(item.predictions, by_arm=by_arm))])

    assert "hardly a chance" in found.refusal
    assert np.isnan(found.estimate("value").value)


def test_another_cells_rule_is_compared_patient_by_patient():
    rule = BenefitAssessment([fold(choice=0, predicted=False)])

    gained = WHOLE.gain_over(rule)

    policy = EXPECTED["policy"]
    assert gained.difference.value == pytest.approx(
        policy["tau_gt0"]["aipw"] - policy["all0"]["aipw"], abs=1e-9
    )


def test_rules_of_different_patients_are_not_compared_though_as_many():
    other = fold()
    names = [f"q{i}" for i in range(N)]
    strangers = BenefitAssessment(
        [replace(other, predictions=replace(other.predictions, patient=names))]
    )

    with pytest.raises(ValueError, match="different patients"):
        WHOLE.gain_over(strangers)


def test_a_folds_value_is_its_share_of_the_whole():
    folds = parts(k=3)

    values = [value_of_fold(item) for item in folds]

    assert np.mean(values) == pytest.approx(WHOLE.estimate("value").value, abs=1e-12)


def test_three_arms_have_a_value_and_no_ranking_by_one_effect():
    draw = np.random.default_rng(3)
    arms = ("a", "b", "c")
    received = draw.integers(0, 3, N)
    outcome = draw.random((N, 3))
    y = (draw.random(N) < outcome[np.arange(N), received]).astype(float)
    best = outcome.argmax(axis=1)
    columns = {arm: outcome[:, k].tolist() for k, arm in enumerate(arms)}
    item = fold()
    predictions = replace(
        item.predictions, y=y.tolist(), arm=[arms[k] for k in received],
        prediction=best.astype(float).tolist(),
        by_arm={
            "outcome": columns, "predicted": columns, "truth": columns,
            "propensity": {arm: [1 / 3] * N for arm in arms},
        },
    )  # fmt: skip
    found = BenefitAssessment([replace(item, predictions=predictions, arms=arms, best_single="a")])

    by_hand = outcome[np.arange(N), best] + (received == best) * 3 * (
        y - outcome[np.arange(N), received]
    )
    assert found.estimate("value").value == pytest.approx(by_hand.mean(), abs=1e-12)
    assert found.estimate("regret").value == 0
    assert found.estimate("autoc").method == "undefined: more than two arms"
    assert found.groups == []
