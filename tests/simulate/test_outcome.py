"""The truth is true: calibrated, exact, unbeaten, and free of markers where they have no effect."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from cytobench import DatasetCard
from cytobench.data.target import Task, build_target
from cytobench.evaluate.metrics import auc
from cytobench.simulate.outcome import bayes_optimal, score_after
from cytobench.simulate.trial import Trial, simulate_trial

RESPONSE = Task("response", "classification")
REMISSION = Task("remission", "classification")
CHANGE = Task("percent_change", "regression")
CLINICAL = ["age", "bmi", "failed_trials", "hamd_baseline"]


def simulate(n, effect=1.0, seed=1):
    trial = Trial(n, effect, 0.27, missing=0.0, dropout=0.0, sites=3, seed=seed)
    return simulate_trial(trial, DatasetCard("sim", kind="simulated"))


def standardised_logs(cohort):
    logs = np.log(cohort.baseline()[list(cohort.analytes)].to_numpy())
    return (logs - logs.mean(axis=0)) / logs.std(axis=0)


def clinical(cohort):
    values = cohort.baseline()[CLINICAL].to_numpy(dtype=float)
    add_on = np.array(cohort.labels("arm")) != "SSRI"
    return np.column_stack([(values - values.mean(axis=0)) / values.std(axis=0), add_on])


@pytest.fixture(scope="module")
def large():
    return simulate(50_000)


@pytest.fixture(scope="module")
def null():
    return simulate(20_000, effect=0.0)


@pytest.mark.parametrize("task", [RESPONSE, REMISSION], ids=lambda task: task.name)
def test_the_truth_is_calibrated(large, task):
    """In ten groups of equal size the share of outcomes is what the truth says, within 4 SE."""
    target = build_target(large, task)

    for group in np.array_split(np.argsort(target.truth), 10):
        p = target.truth[group].mean()
        se = np.sqrt(p * (1 - p) / len(group))
        assert abs(target.y[group].mean() - p) < 4 * se


@pytest.mark.parametrize("baseline", [14, 17, 22, 31])
def test_the_truth_is_calibrated_at_even_and_odd_baselines(large, baseline):
    """Half of an odd score is no score: rounding matters most here. Within 4 SE."""
    target = build_target(large, RESPONSE)
    rows = (large.column("hamd_baseline") == baseline).to_numpy()
    p = target.truth[rows].mean()

    assert abs(target.y[rows].mean() - p) < 4 * np.sqrt(p * (1 - p) / rows.sum())


def test_the_expected_change_is_exact():
    """Rounding and both ends of the scale included: 400,000 draws for each of five patients."""
    before = np.array([14.0, 17.0, 22.0, 30.0, 40.0])
    change = np.array([-0.95, -0.5, -0.2, -0.7, 0.4])
    many = np.broadcast_to(before, (400_000, 5))
    drawn_change = np.broadcast_to(change, many.shape)
    after = score_after(many.ravel(), drawn_change.ravel(), np.random.default_rng(3))
    after = after.reshape(many.shape)
    drawn = 100 * (after - before) / before
    se = drawn.std(axis=0) / np.sqrt(len(drawn))

    truth = bayes_optimal(before, change)

    assert (np.abs(truth["percent_change"] - drawn.mean(axis=0)) < 4 * se).all()
    assert truth["response"].to_numpy() == pytest.approx(
        (after <= before / 2).mean(axis=0), abs=0.004
    )
    assert truth["remission"].to_numpy() == pytest.approx((after <= 7).mean(axis=0), abs=0.004)


def test_the_expected_change_is_the_best_guess_of_the_change(large):
    target = build_target(large, CHANGE)
    error = target.y - target.truth

    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert np.polyfit(target.truth, target.y, 1)[0] == pytest.approx(1, abs=0.03)


def test_the_ceiling_is_a_realistic_one(large):
    target = build_target(large, RESPONSE)

    assert 0.74 < auc(target.y, target.truth) < 0.78


def test_nothing_measured_beats_the_truth(large):
    """No single column, nor a regression fitted and scored on the same patients."""
    y = build_target(large, RESPONSE).y
    ceiling = auc(y, build_target(large, RESPONSE).truth)
    logs, known = standardised_logs(large), clinical(large)
    everything = np.column_stack([known, logs, logs * (known[:, -1:] - 0.5)])

    fitted = LogisticRegression(max_iter=300).fit(everything, y).decision_function(everything)

    assert auc(y, fitted) < ceiling
    for column in everything.T:
        assert max(auc(y, column), auc(y, -column)) < ceiling


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


def test_without_effect_markers_explain_nothing_of_the_truth_beyond_clinical_data(null):
    """Whatever clinical data leave of the expected change is unrelated to any marker or to its
    product with the arm: 48 correlations within 4.5 SE of 0.
    """
    truth, known, logs = null.truth["percent_change"], clinical(null), standardised_logs(null)
    left = truth - LinearRegression().fit(known, truth).predict(known)
    markers = np.hstack([logs, logs * (known[:, -1:] - 0.5)])

    found = [np.corrcoef(left, column)[0, 1] for column in markers.T]

    assert np.abs(found).max() < 4.5 / np.sqrt(len(null))


def test_without_effect_markers_predict_no_failed_trials(null):
    known = [np.corrcoef(null.column("failed_trials"), x)[0, 1] for x in standardised_logs(null).T]

    assert np.abs(known).max() < 4.5 / np.sqrt(len(null))


def test_without_effect_clinical_data_keep_theirs(null):
    y = build_target(null, RESPONSE).y

    assert auc(y, -null.column("failed_trials").to_numpy()) > 0.55
