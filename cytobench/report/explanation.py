"""The section of a page that says what a model goes by: figures, one table, plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.evaluate.importance import (
    TOP,
    Importance,
    Record,
    alike,
    dependences,
    importances,
    losses,
    most_important,
    shapley,
    used,
)
from cytobench.evaluate.stability import Stability
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import number
from cytobench.report.explanation_figures import (
    COST,
    dependence_figure,
    importance_figure,
    selection_figure,
    shown_of,
)
from cytobench.report.illustrations import Illustration
from cytobench.report.tables import Table

DRAWN = 6
"""Columns of which the dependence is drawn."""
OUTCOME = {
    "classification": "mean predicted probability",
    "regression": "mean predicted change (%)",
}
IN_A_ROW = 3
"""Columns that a sentence names."""


@dataclass(frozen=True)
class Section:
    """What a page shows of a model's explanations.

    Attributes
    ----------
    words : sequence of str
        What the figures and the table say, a sentence each.
    """

    words: Sequence[str]
    figures: Sequence[Illustration]
    table: Table


@dataclass(frozen=True)
class _Found:
    """What the folds say together."""

    records: Sequence[Record]
    of: int
    costs: dict[str, list[Importance]]
    shares: Stability | None
    tops: Stability | None
    shap: dict[str, float]

    @property
    def first(self) -> tuple[str, list[Importance]]:
        """The loss of the ranking, with its costs."""
        return next(iter(self.costs.items()))


def explanation_section(row: Row, board: Board) -> Section | None:
    """What the folds' models go by; None where no fold was explained."""
    if row.cell is None or not row.cell.explanations:
        return None
    records = alike(row.cell.explanations)
    protocol = str(row.cell.about["protocol"]["name"])
    costs = {name: importances(records, name, protocol=protocol) for name in losses(records)}
    found = _Found(
        records=records,
        of=len(row.cell.folds),
        costs={name: items for name, items in costs.items() if items},
        shares=used(records),
        tops=most_important(records),
        shap=shapley(records),
    )
    if not found.costs:
        return None
    return Section(
        words=list(_words(found)),
        figures=list(_figures(found, row.label, OUTCOME[board.kind])),
        table=_table(found),
    )


def _words(found: _Found) -> Iterator[str]:
    folds, (loss, costs) = len(found.records), found.first
    if folds < found.of:
        yield f"{folds} of {found.of} folds are explained; explain=true again does the others."
    clear = [item.column for item in costs if item.clear]
    if all(item.cost.low is None for item in costs):
        yield f"There is no interval ({costs[0].cost.method}): the order may be chance."
    elif clear:
        yield (
            f"The {COST[loss]} is distinguishable from zero for {len(clear)} of {len(costs)} "
            f"columns: {_named(clear)}."
        )
    else:
        yield f"No column's {COST[loss]} is distinguishable from zero."
    yield from _of_stability(found)


def _named(columns: Sequence[str]) -> str:
    named, more = ", ".join(columns[:IN_A_ROW]), len(columns) - IN_A_ROW
    return f"{named} and {more} more" if more > 0 else named


def _of_stability(found: _Found) -> Iterator[str]:
    if found.shares is None:
        yield f"Which columns are used is not known: {found.records[0]['used_by']}."
    elif math.isnan(found.shares.index.value):
        everything = "every column" if found.shares.size else "no column"
        yield f"Every fold's model uses {everything}: it selects nothing."
    else:
        yield (
            f"A fold's model uses {found.shares.size:.1f} columns on average; stability of the "
            f"selection {number(found.shares.index)}."
        )
    if found.tops is not None:
        yield f"Stability of each fold's {TOP} most important columns {number(found.tops.index)}."
    if not found.shap:
        yield f"No Shapley values: {found.records[0]['shap_by']}."


def _figures(found: _Found, label: str, outcome: str) -> Iterator[Illustration]:
    loss, costs = found.first
    shown = shown_of(costs)
    more = f" The first {len(shown)}; all are in the table." if len(costs) > len(shown) else ""
    yield Illustration(
        "importance",
        importance_figure(costs, loss, f"What {label} goes by"),
        f"The {COST[loss]} when a column of the test part is shuffled before it is encoded: mean "
        f"over {len(found.records)} folds, {costs[0].cost.method}.{more}",
        f"Dot plot of the {COST[loss]} for {len(shown)} columns; the largest is "
        f"{costs[0].column}, {number(costs[0].cost, signed=True)}. The numbers are in the table.",
        wide=True,
    )
    yield from _selection(found, label)
    curves = dependences(found.records, [item.column for item in costs][: 2 * DRAWN])[:DRAWN]
    if curves:
        columns = ", ".join(item.column for item in curves)
        yield Illustration(
            "dependence",
            dependence_figure(curves, outcome, f"Predictions of {label} against one column"),
            "Partial dependence: the mean prediction for the test patients, were all of them at a "
            "value and everything else as it is. Bands: lowest and highest fold, which is "
            "variation and no confidence interval. Points: quantiles of the cohort, 5 to 95 %, "
            "with five patients or more beyond either end.",
            f"Line charts of the {outcome} against {columns}. "
            + " ".join(_ends(item.column, item.grid, item.mean) for item in curves),
            wide=True,
        )


def _ends(column: str, grid: Any, mean: Any) -> str:
    return f"{column}: {mean[0]:.3g} at {grid[0]:g}, {mean[-1]:.3g} at {grid[-1]:g}."


def _selection(found: _Found, label: str) -> Iterator[Illustration]:
    """What the models use where they choose; else which columns are the most important."""
    shares, what = found.shares, "used by the model"
    if shares is None or math.isnan(shares.index.value):
        shares, what = found.tops, f"among the {TOP} most important"
    if shares is None or math.isnan(shares.index.value):
        return
    first, share = next(iter(shares.share.items()))
    yield Illustration(
        "selection",
        selection_figure(shares, what, f"What the folds of {label} agree on"),
        f"How often a column is {what}. Stability: {number(shares.index)} ({shares.index.method}).",
        f"Bar chart of the share of folds in which a column is {what}; the first is {first}, "
        f"{100 * share:.0f} %. Stability {number(shares.index)}.",
        wide=True,
    )


def _table(found: _Found) -> Table:
    loss, ranked = found.first
    costs = {
        name: {item.column: item.cost for item in items} for name, items in found.costs.items()
    }
    columns = ["column", *(f"{COST[name]} (95 % interval)" for name in costs)]
    if found.shares:
        columns.append("% of folds that use it")
    if found.shap:
        columns.append("mean |Shapley value|")
    rows = []
    for item in ranked:
        cells = [number(costs[name][item.column], signed=True) for name in costs]
        if found.shares:
            cells.append(f"{100 * found.shares.share.get(item.column, 0.0):.0f}")
        if found.shap:
            cells.append(f"{found.shap.get(item.column, 0.0):.3g}")
        rows.append([item.column, *cells])
    methods = {item.cost.method for items in found.costs.values() for item in items}
    notes = [f"Intervals: {'; '.join(sorted(methods))}."]
    if found.shap:
        notes.append(
            f"Shapley values ({found.records[0]['shap_by']}): in the model's own output, log odds "
            "for most; comparable within a model only. Columns derived from several are left out."
        )
    caption = f"Every column, the largest {COST[loss]} first"
    return Table("Every column", caption, columns, rows, notes)
