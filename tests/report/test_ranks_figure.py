"""The figure of ranks says what the ranking says."""

from __future__ import annotations

import numpy as np

from cytobench.evaluate.ranks import rank_models
from cytobench.report.figures import svg
from cytobench.report.ranks_figure import ranks_figure


def ranking(cohorts):
    draw = np.random.default_rng(2)
    models = [f"a model with a rather long name, number {k}" for k in range(10)]
    values = draw.normal(size=(cohorts, 10)) + np.linspace(1.5, 0, 10)
    names = [f"cohort {k}" for k in range(cohorts)]
    return rank_models(values, models, names, [False] * cohorts)


def test_every_model_stands_with_its_rank():
    found = ranking(12)

    drawn = svg(ranks_figure(found, "Over datasets"))

    assert all(model in drawn for model in found.models)
    assert all(f"{rank:.2f}" in drawn for rank in found.mean_ranks)
    assert "Nemenyi" in drawn


def test_without_enough_cohorts_no_model_is_joined_to_another():
    found = ranking(4)

    drawn = svg(ranks_figure(found, "Over datasets"))

    assert found.groups == ()
    assert "Nemenyi" not in drawn
    assert "4 real cohorts" in drawn
