"""The truth is true: calibrated, exact, unbeaten, and free of markers where they have no effect."""

from functools import cache
from importlib import import_module
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from cytobench import DataError, DatasetCard
from cytobench.data.target import Task, build_target
from cytobench.evaluate.metrics import auc
from cytobench.simulate import Trial, bayes_auc, optimal_value, simulate_trial
from cytobench.simulate.outcome import NOISE, score_after
from cytobench.simulate.truth import bayes_optimal

RESPONSE = Task("response", "classification")
REMISSION = Task("remission", "classification")
CHANGE = Task("percent_change", "regression")
PLUGINS = (
    "sim_gendep", "sim_comed", "sim_infliximab_trd", "sim_preddict", "sim_trd", "sim_classes",
    "sim_emerging", "sim_crossover", "sim_inflamed_mdd", "sim_null",
)  # fmt: skip
EFFECT = [name for name in PLUGINS if name != "sim_null"]


@cache
def drawn(name, n=10_000, **parameters):
    """A cohort of a plugin with every outcome and value known."""
    plugin = getattr(import_module(f"cytobench.plugins.datasets.{name}"), name)
    return plugin(n=n, dropout=0.0, missing=0.0, **parameters)


def simulate(n, effect=1.0, seed=1):
    trial = Trial(n, effect, 0.27, missing=0.0, dropout=0.0, sites=3, seed=seed)
    return simulate_trial(trial, DatasetCard("sim", kind="simulated"))


def standardised_logs(cohort):
    logs = np.log(cohort.table[list(cohort.analytes)].to_numpy())
    return (logs - logs.mean(axis=0)) / logs.std(axis=0)


def arms(cohort):
    return pd.get_dummies(pd.Series(cohort.labels("arm"))).to_numpy(dtype=float)[:, 1:]


def clinical(cohort):
    names = ["age", "bmi", "failed_trials", cohort.severity]
    values = cohort.table[names].to_numpy(dtype=float)
    return np.column_stack([(values - values.mean(axis=0)) / values.std(axis=0), arms(cohort)])


@pytest.mark.parametrize("task", [RESPONSE, REMISSION], ids=lambda task: task.name)
@pytest.mark.parametrize("name", PLUGINS)
def test_the_truth_is_calibrated(name, task):
    """In ten groups of equal size the share of outcomes is what the truth says: 200 groups, so
    within 4.5 SE, and one patient for the rarest outcomes.
    """
    target = build_target(drawn(name), task)

    for group in np.array_split(np.argsort(target.truth), 10):
        p = target.truth[group].mean()
        se = np.sqrt(p * (1 - p) / len(group))
        assert abs(target.y[group].mean() - p) < 4.5 * se + 1 / len(group)


@pytest.mark.parametrize("name", PLUGINS)
def test_the_expected_change_is_the_best_guess_of_the_change(name):
    target = build_target(drawn(name), CHANGE)
    error = target.y - target.truth

    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert np.polyfit(target.truth, target.y, 1)[0] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", PLUGINS)
def test_nothing_measured_beats_the_truth(name):
    """No single column, nor a regression fitted to one half of the patients, scored on the other.
    Where markers tell nothing, the regression is as good as the truth: within 0.005 by chance.
    """
    cohort = drawn(name)
    target = build_target(cohort, RESPONSE)
    y, half = target.y, np.arange(len(target.y)) % 2 == 0
    ceiling = auc(y[~half], target.truth[~half])
    logs, known = standardised_logs(cohort), clinical(cohort)
    interactions = [logs * column[:, None] for column in arms(cohort).T]
    everything = np.column_stack([known, logs, *interactions])

    fitted = LogisticRegression(max_iter=200, C=0.1).fit(everything[half], y[half])

    assert auc(y[~half], fitted.decision_function(everything[~half])) < ceiling + 0.005
    for column in everything.T:
        assert max(auc(y[~half], column[~half]), auc(y[~half], -column[~half])) < ceiling


@pytest.mark.parametrize("name", PLUGINS)
def test_the_auc_in_expectation_is_the_one_observed(name):
    """The SD of an AUC of 10,000 patients is below 0.01 where one in ten remits."""
    target = build_target(drawn(name), REMISSION)

    assert bayes_auc(target.truth) == pytest.approx(auc(target.y, target.truth), abs=0.03)


@pytest.mark.parametrize("name", EFFECT)
def test_without_effect_markers_explain_nothing_beyond_clinical_data(name):
    """What clinical data leave of the expected change is unrelated to any marker or to its product
    with any arm: at most 120 correlations within 5 SE of 0.
    """
    sited = {} if name in ("sim_infliximab_trd", "sim_preddict") else {"site_effect": 0.0}
    null = drawn(name, effect=0.0, **sited)
    truth, known, logs = null.truth["percent_change"], clinical(null), standardised_logs(null)
    left = truth - LinearRegression().fit(known, truth).predict(known)
    products = [logs * (column - column.mean())[:, None] for column in arms(null).T]

    found = [np.corrcoef(left, column)[0, 1] for column in np.hstack([logs, *products]).T]

    assert np.abs(found).max() < 5 / np.sqrt(len(null))


@pytest.mark.parametrize("name", EFFECT)
def test_without_effect_one_arm_is_as_good_for_everybody(name):
    """In points of the scale, arms differ by the same for all patients, or not at all."""
    truth = drawn(name, effect=0.0).truth
    columns = [column for column in truth if column.startswith("percent_change@")]

    assert optimal_value(truth, "percent_change").gain == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(truth[columns].to_numpy(), axis=1).max() == pytest.approx(0.0, abs=1e-9)


def test_without_effect_markers_predict_no_failed_trials():
    null = drawn("sim_null")
    known = [np.corrcoef(null.column("failed_trials"), x)[0, 1] for x in standardised_logs(null).T]

    assert np.abs(known).max() < 4.5 / np.sqrt(len(null))


def test_without_effect_clinical_data_keep_theirs():
    null = drawn("sim_null")

    y = build_target(null, RESPONSE).y

    assert auc(y, -null.column("failed_trials").to_numpy()) > 0.55


@pytest.mark.parametrize("baseline", [14, 17, 22, 31])
def test_the_truth_is_calibrated_at_even_and_odd_baselines(baseline):
    """Half of an odd score is no score: rounding matters most here. Within 4 SE."""
    large = simulate(50_000)
    target = build_target(large, RESPONSE)
    rows = (large.column("hamd_baseline") == baseline).to_numpy()
    p = target.truth[rows].mean()

    assert abs(target.y[rows].mean() - p) < 4 * np.sqrt(p * (1 - p) / rows.sum())


@pytest.mark.parametrize("highest", [27, 52, 60])
def test_the_expected_score_is_the_sum_over_all_scores(highest):
    """The closed form against the sum that it stands for, at both ends of the scale too."""
    from scipy.special import ndtr

    before, change = (
        grid.ravel() for grid in np.meshgrid(np.arange(11.0, 27), np.linspace(-1.5, 2.5, 81))
    )
    mean, sd = before * (1 + change), before * NOISE
    score = np.arange(highest) + 0.5
    after = (1 - ndtr((score - mean[:, None]) / sd[:, None])).sum(axis=1)

    truth = bayes_optimal(before, change, highest, remission_at=7)

    assert truth["percent_change"] == pytest.approx(100 * (after - before) / before, abs=1e-3)


def test_the_truth_is_what_many_draws_show():
    """Rounding and both ends of the scale included: 400,000 draws for each of five patients."""
    before = np.array([14.0, 17.0, 22.0, 30.0, 40.0])
    change = np.array([-0.95, -0.5, -0.2, -0.7, 0.4])
    many = np.broadcast_to(before, (400_000, 5))
    drawn_change = np.broadcast_to(change, many.shape)
    after = score_after(many.ravel(), drawn_change.ravel(), 52, np.random.default_rng(3))
    after = after.reshape(many.shape)
    change_drawn = 100 * (after - before) / before
    se = change_drawn.std(axis=0) / np.sqrt(len(change_drawn))

    truth = bayes_optimal(before, change, highest=52, remission_at=7)

    assert (np.abs(truth["percent_change"] - change_drawn.mean(axis=0)) < 4 * se).all()
    assert truth["response"] == pytest.approx((after <= before / 2).mean(axis=0), abs=0.004)
    assert truth["remission"] == pytest.approx((after <= 7).mean(axis=0), abs=0.004)


def test_the_truth_received_is_that_of_the_arm():
    cohort = drawn("sim_classes")

    for arm in cohort.describe()["arms"]:
        rows = np.array(cohort.labels("arm")) == arm
        for task in ("response", "remission", "percent_change"):
            received, under = cohort.truth[task][rows], cohort.truth[f"{task}@{arm}"][rows]
            assert (received == under).all()


def test_the_ceiling_is_a_realistic_one():
    assert 0.74 < bayes_auc(simulate(20_000).truth["response"]) < 0.78


def test_markers_add_to_clinical_data_and_stay_below_the_truth():
    """Trained on 2,000 patients, scored on 10,000 others: clinical < + markers < truth."""
    train, test = simulate(2000, seed=2), simulate(10_000, seed=3)
    y, unseen = build_target(train, RESPONSE).y, build_target(test, RESPONSE)

    def score(columns):
        fitted = LogisticRegression(C=0.05, max_iter=300).fit(columns(train), y)
        return auc(unseen.y, fitted.decision_function(columns(test)))

    alone = score(clinical)
    together = score(lambda cohort: np.hstack([clinical(cohort), standardised_logs(cohort)]))

    assert 0.62 < alone < 0.68
    assert alone + 0.03 < together < auc(unseen.y, unseen.truth)


def test_the_expected_auc_is_that_of_all_pairs():
    p = np.array([0.1, 0.4, 0.4, 0.8, 0.0, 1.0, 0.55])
    pairs = list(permutations(range(len(p)), 2))
    weight = [p[i] * (1 - p[j]) for i, j in pairs]
    right = [
        w * (p[i] > p[j]) + 0.5 * w * (p[i] == p[j])
        for (i, j), w in zip(pairs, weight, strict=True)
    ]

    assert bayes_auc(p) == pytest.approx(sum(right) / sum(weight))


def test_the_expected_auc_is_the_mean_over_outcomes():
    """2,000 draws of the outcomes of 500 patients."""
    draw = np.random.default_rng(1)
    p = draw.beta(2, 3, 500)

    observed = [auc((draw.random(500) < p).astype(float), p) for _ in range(2000)]

    assert bayes_auc(p) == pytest.approx(np.mean(observed), abs=4 * np.std(observed) / 44)


def test_knowing_nothing_is_worth_a_half_and_certainty_has_no_pairs_to_lose():
    assert bayes_auc(np.full(10, 0.3)) == pytest.approx(0.5)
    assert bayes_auc([0.0, 1.0, 1.0]) == 1.0
    assert np.isnan(bayes_auc([1.0, 1.0]))


@pytest.mark.parametrize("wrong", [1.2, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(DataError, match="E354"):
        bayes_auc([0.5, wrong])


def test_the_best_treatment_is_chosen_for_each_patient():
    truth = pd.DataFrame(
        {
            "response": [0.2, 0.5, 0.4],
            "response@A": [0.2, 0.6, 0.4],
            "response@B": [0.8, 0.5, 0.4],
            "percent_change@A": [-20.0, -50.0, -40.0],
            "percent_change@B": [-70.0, -45.0, -40.0],
        }
    )

    best, change = optimal_value(truth, "response"), optimal_value(truth, "percent_change")

    assert best.value == pytest.approx((0.8 + 0.6 + 0.4) / 3)
    assert best.arms == pytest.approx({"A": 0.4, "B": 1.7 / 3})
    assert best.share == pytest.approx({"A": 2 / 3, "B": 1 / 3})
    assert best.best.tolist() == ["B", "A", "A"]
    assert best.gain == pytest.approx(0.1 / 3)
    assert change.value == pytest.approx(-160 / 3), "a lower score is better"
    assert change.best.tolist() == ["B", "A", "A"]


def test_the_best_treatment_needs_the_truth_under_each_arm():
    with pytest.raises(DataError, match="E355"):
        optimal_value(pd.DataFrame({"response": [0.5]}), "response")


def test_treating_by_crp_is_optimal_where_it_is_said_to_be():
    """Levels as they are, without assay: the cut-off finds everybody's best arm."""
    cohort = drawn("sim_crossover", noise=0.0, plate_shift=0.0, site_effect=0.0, cutoff=2.0)

    best = optimal_value(cohort.truth, "response")

    rule = np.where(cohort.column("CRP") > 2.0, "dopaminergic", "serotonergic")
    assert (best.best == rule).all()
    assert best.gain > 0.08
    assert 0.3 < best.share["dopaminergic"] < 0.7
