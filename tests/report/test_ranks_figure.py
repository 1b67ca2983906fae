"""The figure of ranks says what the ranking says, and nothing in it hides anything else."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from cytobench.evaluate.ranks import rank_models
from cytobench.report.figures import svg
from cytobench.report.ranks_figure import ranks_figure

SHORT = [f"a model of ten, number {k}" for k in range(10)]
LONG = [f"{k} is a model with a long name, all of its settings spelled out in full" for k in "0123"]


def ranking(cohorts, models=SHORT):
    draw = np.random.default_rng(2)
    values = draw.normal(size=(cohorts, len(models))) + np.linspace(1.5, 0, len(models))
    names = [f"cohort {k}" for k in range(cohorts)]
    return rank_models(values, models, names, [False] * cohorts)


def test_every_model_stands_with_its_rank():
    found = ranking(12)

    drawn = svg(ranks_figure(found, "Over datasets"))

    assert all(model in drawn for model in found.models)
    assert all(f"{rank:.2f}" in drawn for rank in found.mean_ranks)
    assert f"critical difference {found.critical_difference:.2f}" in drawn
    assert "Nemenyi" in drawn


def test_without_enough_cohorts_no_model_is_joined_to_another():
    found = ranking(4)

    drawn = svg(ranks_figure(found, "Over datasets"))

    assert found.groups == ()
    assert "Nemenyi" not in drawn
    assert "critical difference" not in drawn
    assert "4 real cohorts" in drawn


@pytest.mark.parametrize("models", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("cohorts", [4, 12])
def test_no_text_lies_on_another_or_outside(models, cohorts):
    figure = ranks_figure(ranking(cohorts, models), "A title that is long " * 6)

    canvas = FigureCanvasAgg(figure)
    canvas.draw()

    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in texts]
    boxes = [box for box, text in zip(boxes, texts, strict=True) if not _off(text)]
    assert len(boxes) > 2 * len(models)
    for box in boxes:
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.width + 1
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def _off(text):
    """Tick labels of the axes without axis, and those of the shared rows that are not drawn."""
    axes = text.axes
    return axes is not None and not axes.axison and text not in axes.texts


def test_bars_stand_apart():
    found = ranking(12)

    figure = ranks_figure(found, "Over datasets")
    FigureCanvasAgg(figure).draw()

    axes = figure.axes[1]
    bars = [bar.get_segments()[0] for bar in axes.collections]
    places = sorted(axes.transData.transform(bar)[0, 0] for bar in bars)
    assert len(bars) == len(found.groups) > 1
    assert min(np.diff(places)) > 5
