"""What a page says of explanations: every number, what is not known, and nothing out of place."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from cytobench.core.result import FoldResult, Predictions
from cytobench.evaluate.importance import Dependence, Importance
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.stability import stability
from cytobench.leaderboard.collect import Entry
from cytobench.leaderboard.rank import rank
from cytobench.report.explanation import explanation_section
from cytobench.report.explanation_figures import (
    SHOWN,
    dependence_figure,
    importance_figure,
    selection_figure,
)
from cytobench.report.figures import svg
from cytobench.report.writing import render
from cytobench.run.store import StoredCell

HOSTILE = "<script>alert('x')</script> $\\frac{1}$"
LONG = "an analyte with a name that somebody wrote out in full, with its unit and its kit"


def costs(n=4, low=-0.01, first="IL-1RA"):
    names = [first, LONG, *(f"IL-{k}" for k in range(n))]
    return [
        Importance(name, Estimate(0.1 / (k + 1), low, 0.2, "corrected t"), 10)
        for k, name in enumerate(names)
    ]


def curves(n=5):
    grid = np.array([0.5, 1.0, 4.0, 30.0])
    return [
        Dependence(LONG if k == 1 else f"IL-{k}", "pg/mL", grid, grid / 60, grid / 70, grid / 50)
        for k in range(n)
    ]


def choices():
    names = [f"IL-{k}" for k in range(20)]
    return stability([{name: k + fold < 9 for k, name in enumerate(names)} for fold in range(4)])


FIGURES = {
    "importance": lambda: importance_figure(costs(), "auc", "What a model goes by"),
    "selection": lambda: selection_figure(choices(), "used", "What the folds agree on"),
    "dependence": lambda: dependence_figure(curves(), "mean predicted probability", "Against one"),
    "dependence of two": lambda: dependence_figure(curves(2), "mean", "A long title " * 9),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_lies_on_another_or_outside(name):
    figure = FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()

    boxes = [text.get_window_extent(canvas.get_renderer()) for text in drawn_texts(figure)]

    assert len(boxes) > 10
    assert all(box.x0 >= -1 and box.x1 <= figure.bbox.width + 1 for box in boxes)
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def drawn_texts(figure):
    """Texts that are seen: not those of ticks beyond the limits, nor of axes without axis."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden |= {tick.label1, tick.label2}
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    return [text for text in texts if text not in hidden]


def test_a_column_that_cannot_be_told_from_zero_is_grey_and_said_to_be():
    drawn = svg(importance_figure(costs(), "auc", "title"))

    assert "not distinguishable from zero" in drawn
    assert "+0.100 (-0.010 to +0.200)" in drawn
    assert "fall of the AUC when the column is shuffled" in drawn
    ElementTree.fromstring(drawn)


def test_a_name_cannot_break_the_figure():
    drawn = svg(importance_figure(costs(first=HOSTILE), "auc", HOSTILE))

    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn


def test_without_intervals_the_figure_says_why():
    found = [Importance("IL-6", Estimate(0.1, None, None, "no interval under holdout"), 1)]

    assert "no interval under holdout" in svg(importance_figure(found, "mae", "title"))


def test_columns_without_any_cost_are_left_to_the_table():
    found = [*costs(1), Importance("idle", Estimate(0.0, 0.0, 0.0, "corrected t"), 10)]

    assert "idle" not in svg(importance_figure(found, "auc", "title"))
    assert "idle" in svg(importance_figure(found[-1:], "auc", "title")), "it is all there is"


def test_a_panel_without_a_curve_is_not_drawn():
    figure = dependence_figure(curves(5), "mean", "title")

    assert [axes.axison for axes in figure.axes] == [True] * 5 + [False]
    assert [bool(axes.lines) for axes in figure.axes] == [True] * 5 + [False]


def test_only_so_many_columns_are_drawn_and_none_that_no_fold_takes():
    drawn = svg(selection_figure(choices(), "used", "title"))

    assert "IL-8" in drawn
    assert "IL-9" not in drawn
    assert svg(importance_figure(costs(40), "auc", "t")).count("+0.200)") == SHOWN


def make_record(fold, draw, **changes):
    columns = ["IL-6", HOSTILE, "age"]
    auc = {name: float(draw.normal(0.2 * (name == "IL-6"), 0.01)) for name in columns}
    record = {
        "fold": fold, "repeat": 0, "n_train": 80, "n_test": 40,
        "importance": {"auc": auc, "log_loss": dict.fromkeys(columns, 0.01)},
        "used": {"IL-6": True, HOSTILE: fold == 0, "age": False}, "used_by": "coef_",
        "shap": {"IL-6": 1.25, HOSTILE: 0.5, "age": 0.0}, "shap_by": "LinearExplainer",
        "dependence": {
            "IL-6": {"grid": [1.0, 5.0, 20.0], "unit": "pg/mL", "prediction": [0.2, 0.4, 0.6]}
        },
        "settings": {"repeats": 10, "points": 3, "shap": True},
    }  # fmt: skip
    return record | changes


def make_row(folds=3, protocol="repeated_stratified", explained=None, **changes):
    draw = np.random.default_rng(0)
    about = {
        "folds": folds, "n": 120, "events": 60, "outcome_mean": 0.5, "notes": [], "audit": [],
        "model": {"name": "m", "role": "model", "summary": "", "source": "s" * 64, "version": "1",
                  "inputs": ["analytes"], "licence": "", "citation": ""},
        "dataset": {"name": "d", "summary": "", "kind": "real", "population": "", "caveat": "",
                    "fingerprint": "f", "patients": 120, "analytes": 1,
                    "licence": "", "origin": ""},
        "task": {"name": "response", "kind": "classification", "meaning": ""},
        "protocol": {"name": protocol, "claim": ""}, "plan": "p", "permutation": 0,
        "test_labels": [""] * folds, "config": {"model": {"name": "m"}, "seed": 0},
        "versions": {}, "git_commit": "", "command": "",
    }  # fmt: skip
    results = []
    for fold in range(folds):
        y = (np.arange(40) % 2).astype(float)
        predictions = Predictions(
            [f"p{40 * fold + k}" for k in range(40)], y.tolist(), draw.random(40).tolist(),
            [""] * 40, [""] * 40, [float("nan")] * 40,
        )  # fmt: skip
        results.append(FoldResult(fold, 0, 80, predictions, {}, [], 0.5, 0.5, {"fit": 0.1}))
    records = [make_record(k, draw, **changes) for k in range(folds)][:explained]
    cell = StoredCell("k" * 64, about, results, explanations=records)
    board = rank(Entry("suite", "entry", [cell], {}, 0, {}))
    return board.rows[0], board


def said(**changes):
    section = explanation_section(*make_row(**changes))
    return section, " ".join(section.words)


def test_a_section_says_what_matters_and_how_stable_that_is():
    section, words = said()

    # Nogueira: shares 1, 1/3 and 0, spread 1/9; by lot 4/9 * 5/9: 1 - (1/9) / (20/81) = 0.55.
    assert "for 1 of 3 columns: IL-6." in words
    assert "uses 1.3 columns on average; stability of the selection 0.550" in words
    assert [figure.name for figure in section.figures] == ["importance", "selection", "dependence"]
    assert "IL-6: 0.2 at 1, 0.6 at 20." in section.figures[2].alt
    assert section.table.columns[-1] == "mean |Shapley value|"
    first = dict(zip(section.table.columns, section.table.rows[0], strict=True))
    assert (first["column"], first["% of folds that use it"]) == ("IL-6", "100")
    assert first["mean |Shapley value|"] == "1.25"
    assert any("Nadeau-Bengio" in note for note in section.table.notes)


def test_what_is_not_known_is_said():
    section, words = said(used=None, used_by="SVC does not say", shap=None, shap_by="needs shap")

    assert "SVC does not say" in words
    assert "No Shapley values: needs shap." in words
    assert len(section.table.columns) == 3
    assert "selection" not in {figure.name for figure in section.figures}


def test_a_model_that_uses_everything_selects_nothing():
    _, words = said(used={"IL-6": True, "age": True})

    assert "uses every column: it selects nothing" in words


def test_folds_that_are_not_explained_are_counted():
    assert "2 of 3 folds are explained" in said(explained=2)[1]


def test_one_test_part_has_no_intervals():
    section, words = said(folds=1, protocol="holdout")

    assert "no interval under holdout" in words
    assert len(section.table.rows) == 3


def test_an_auc_that_no_fold_has_leaves_the_log_loss():
    section, words = said(importance={"auc": {}, "log_loss": {"IL-6": 0.2}})

    assert "rise of the log-loss" in words
    assert section.table.columns[1].startswith("rise of the log-loss")


def test_without_explanations_there_is_no_section():
    row, board = make_row(explained=0)

    assert explanation_section(row, board) is None
    assert explanation_section(replace(row, cell=None), board) is None


def test_the_template_says_what_importance_is_not_and_escapes_names():
    section, _ = said()
    page = render("explanation.html", explanation=section)

    assert "not about biology" in page
    assert "<script>" not in page
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{40,}", page)) == 3
