"""Explanations over folds: intervals that the protocol allows, order, stability, dependence."""

from __future__ import annotations

import numpy as np
import pytest

from cytobench.evaluate.importance import (
    alike,
    dependences,
    importances,
    losses,
    most_important,
    shapley,
    used,
)
from cytobench.evaluate.intervals import nadeau_bengio

SETTINGS = {"repeats": 10, "points": 3, "shap": True}


def make_record(costs, *, fold=0, loss="auc", settings=SETTINGS, **changes):
    record = {
        "fold": fold, "repeat": 0, "n_train": 80, "n_test": 20,
        "importance": {"log_loss": {}, loss: costs} if loss == "auc" else {loss: costs},
        "used": None, "used_by": "does not say", "shap": None, "shap_by": "none",
        "dependence": {}, "settings": settings,
    }  # fmt: skip
    return record | changes


def make_records(*folds, **changes):
    return [make_record(costs, fold=k, **changes) for k, costs in enumerate(folds)]


def test_the_most_important_comes_first_and_ties_are_in_order_of_the_name():
    records = make_records({"b": 0.0, "a": 0.0, "IL-6": 0.2}, {"b": 0.0, "a": 0.0, "IL-6": 0.4})

    found = importances(records)

    assert [item.column for item in found] == ["IL-6", "a", "b"]
    assert found[0].cost.value == pytest.approx(0.3)
    assert found[0].folds == 2


def test_under_repeated_cross_validation_the_interval_is_nadeau_and_bengios():
    values = [0.2, 0.25, 0.15, 0.3, 0.1]
    records = make_records(*({"IL-6": value} for value in values))

    (found,) = importances(records)

    assert found.cost == nadeau_bengio(values, 80, 20)
    assert found.clear


def test_an_interval_that_covers_zero_is_not_clear():
    (found,) = importances(make_records({"x": 0.3}, {"x": -0.2}, {"x": 0.01}))

    assert found.cost.low < 0 < found.cost.high
    assert not found.clear


def test_a_column_that_no_model_uses_costs_nothing_for_sure_and_is_not_clear():
    (found,) = importances(make_records({"x": 0.0}, {"x": 0.0}))

    assert (found.cost.value, found.cost.low, found.cost.high) == (0, 0, 0)
    assert not found.clear


@pytest.mark.parametrize("protocol", ["holdout", "leave_one_site_out"])
def test_other_protocols_have_no_interval_and_say_so(protocol):
    (found,) = importances(make_records({"x": 0.1}, {"x": 0.3}), protocol=protocol)

    assert found.cost.value == pytest.approx(0.2)
    assert found.cost.low is None
    assert protocol in found.cost.method
    assert not found.clear


def test_under_the_bootstrap_the_interval_is_of_percentiles():
    records = make_records(*({"x": k / 100} for k in range(101)))

    (found,) = importances(records, protocol="bootstrap")

    assert (found.cost.low, found.cost.high) == (pytest.approx(0.025), pytest.approx(0.975))


def test_a_fold_whose_test_part_is_of_one_class_has_no_say_in_the_auc():
    records = make_records({"x": 0.2, "y": 0.0}, {}, {"x": 0.4, "y": 0.0})

    found = importances(records)

    assert (found[0].cost.value, found[0].folds) == (pytest.approx(0.3), 2)
    assert most_important(records, top=1).folds == 2


def test_the_ranking_is_by_the_auc_or_the_mean_absolute_error():
    assert losses(make_records({"x": 1.0})) == ["auc", "log_loss"]
    assert losses(make_records({"x": 1.0}, loss="mae")) == ["mae"]
    assert importances([]) == []


def test_planted_columns_are_told_from_noise():
    # Fold values of columns: mean 0.1 or 0 and the correlation n_test / (n_train + n_test) of
    # overlapping folds that Nadeau & Bengio (2003) assume. By theory 95 % of the noise is covered.
    draw = np.random.default_rng(3)
    folds, columns, shared = 25, 200, 0.2
    noise = np.sqrt(shared) * draw.normal(size=(1, columns))
    noise = noise + np.sqrt(1 - shared) * draw.normal(size=(folds, columns))
    values = 0.03 * noise
    values[:, 0] += 0.1
    names = ["IL-6", *(f"noise {k}" for k in range(1, columns))]

    found = importances(make_records(*(dict(zip(names, row, strict=True)) for row in values)))

    assert found[0].column == "IL-6"
    assert found[0].clear
    others = [item for item in found[1:] if item.cost.low <= 0 <= item.cost.high]
    assert len(others) / (columns - 1) == pytest.approx(0.95, abs=0.04)


def test_only_explanations_made_alike_are_averaged():
    other = {**SETTINGS, "points": 20}
    old = [make_record({"x": 9.0}, settings=other)]
    new = make_records({"x": 1.0}, {"x": 2.0})

    assert alike([*old, *new]) == new
    assert alike([]) == []


def test_stability_of_the_most_important_needs_a_choice():
    records = make_records({"a": 3.0, "b": 2.0, "c": 1.0}, {"a": 3.0, "b": 1.0, "c": 2.0})

    found = most_important(records, top=2)

    # Sets {a, b} and {a, c} of three: Kuncheva's (r d - k^2) / (k (d - k)) = (3 - 4) / 2.
    assert found.index.value == pytest.approx(-0.5)
    assert found.share == {"a": 1.0, "b": 0.5, "c": 0.5}
    assert most_important(records, top=3) is None
    assert most_important(records[:1], top=1) is None


def test_use_and_shapley_values_are_of_the_folds_that_tell_them():
    told = {"used": {"a": True, "b": False}, "shap": {"a": 1.0, "b": 3.0}}
    records = [*make_records({"a": 1.0}, {"a": 1.0}, **told), make_record({"a": 1.0})]

    assert used(records).share == {"a": 1.0, "b": 0.0}
    assert shapley(records) == {"b": 3.0, "a": 1.0}
    assert list(shapley(records)) == ["b", "a"]
    assert used(records[1:]) is None, "one fold is no stability"
    assert shapley(records[2:]) == {}


def test_dependence_is_the_mean_of_the_folds_with_the_lowest_and_the_highest():
    def curve(*prediction):
        return {"IL-6": {"grid": [1.0, 2.0, 3.0], "unit": "pg/mL", "prediction": prediction}}

    records = [
        make_record({}, dependence=curve(0.1, 0.2, 0.3)),
        make_record({}, dependence=curve(0.3, 0.2, 0.5)),
    ]

    (found,) = dependences(records, ["sex", "IL-6"])

    assert (found.column, found.unit) == ("IL-6", "pg/mL")
    assert found.mean.tolist() == pytest.approx([0.2, 0.2, 0.4])
    assert found.low.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert found.high.tolist() == pytest.approx([0.3, 0.2, 0.5])
