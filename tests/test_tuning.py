"""Optuna inside one fold: reproducible, never worse than the defaults, honest about failures."""

import itertools

import pytest

from cytobench import Choice, Float, Int, PluginError
from cytobench.core.errors import UsageError
from cytobench.tuning import Budget, search

SPACE = {"x": Float(-1.0, 3.0), "k": Int(1, 8), "c": Choice("a", "b", None)}
DEFAULTS = {"x": 0.0, "k": 2, "c": "a"}


def bowl(params):
    return (params["x"] - 2) ** 2 + (params["k"] - 5) ** 2 + (params["c"] != "b")


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_every_sampler_improves_on_the_defaults_and_repeats_itself(sampler):
    budget = Budget(sampler, trials=40)

    best, trials = search(SPACE, DEFAULTS, bowl, budget, seed=3)
    again, _ = search(SPACE, DEFAULTS, bowl, budget, seed=3)

    assert bowl(best) < bowl(DEFAULTS) / 4
    assert best == again
    assert len(trials) == 40


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_the_defaults_are_the_first_trial(sampler):
    _, trials = search(SPACE, DEFAULTS, bowl, Budget(sampler, trials=2), seed=3)

    assert dict(trials[0].params) == DEFAULTS


def test_different_seeds_try_different_settings():
    runs = [search(SPACE, {}, bowl, Budget("random", 5), seed=seed)[1] for seed in (1, 2)]

    assert [trial.params for trial in runs[0]] != [trial.params for trial in runs[1]]


def test_without_tuning_nothing_is_tried():
    assert search(SPACE, DEFAULTS, bowl, Budget("none", 0), seed=1) == ({}, [])
    assert search({}, DEFAULTS, bowl, Budget("tpe", 5), seed=1) == ({}, [])


def test_a_budget_in_seconds_stops_early_but_not_before_one_trial():
    _, trials = search(SPACE, DEFAULTS, bowl, Budget("random", 10_000, seconds=1e-9), seed=1)

    assert len(trials) == 1


def test_a_failing_trial_is_recorded_and_passed_over():
    calls = itertools.count()

    def fragile(params):
        if next(calls) % 2 == 0:
            raise RuntimeError("singular matrix")
        return bowl(params)

    best, trials = search(SPACE, DEFAULTS, fragile, Budget("random", 6), seed=1)

    assert [trial.score is None for trial in trials] == [True, False] * 3
    assert "singular matrix" in trials[0].error
    assert bowl(best) == min(trial.score for trial in trials if trial.score is not None)


def test_when_every_trial_fails_the_reason_is_given():
    with pytest.raises(PluginError, match=r"E230.*all 3 trials failed(.|\n)*the score is NaN"):
        search(SPACE, DEFAULTS, lambda params: float("nan"), Budget("tpe", 3), seed=1)


@pytest.mark.parametrize("wrong", [{"sampler": "grid"}, {"trials": 0}, {"seconds": -1.0}])
def test_an_impossible_budget_is_a_usage_error(wrong):
    with pytest.raises(UsageError, match="E114"):
        Budget(**wrong)
