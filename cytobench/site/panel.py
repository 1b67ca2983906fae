"""What a row opens into: curves, numbers, subgroups, explanations, parameters, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard, BenefitRow
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.readme import without_folders
from cytobench.report.benefit_figures import of_benefit_cell
from cytobench.report.benefit_page import numbers as benefit_numbers
from cytobench.report.cards import Card, model_card, provenance
from cytobench.report.explanation import explanation_section
from cytobench.report.illustrations import Illustration, of_cell
from cytobench.report.parts import file_names
from cytobench.report.tables import NUMBER_COLUMNS, Table, cell_tables, numbers
from cytobench.site.ranking import AnyRow, every_row
from cytobench.site.vector import inline

OPTIONS_SHOWN = 3


@dataclass(frozen=True)
class Drawn:
    """A figure as markup, with the words below it."""

    markup: Any
    caption: str
    wide: bool


@dataclass(frozen=True)
class Explained:
    """What a model goes by: in words, drawn, and of every column."""

    words: Sequence[str]
    figures: Sequence[Drawn]
    table: Table


@dataclass(frozen=True)
class Panel:
    """The details of one row.

    Attributes
    ----------
    numbers : Table
        Every estimate with its interval and method.
    tables : sequence of Table
        Sites and subgroups.
    explanation : Explained or None
        What the model goes by; None where no fold was explained.
    chosen : Table or None
        What tuning chose; None where nothing was tuned.
    model, provenance : list of pairs
        Empty for what is no model.
    """

    id: str
    label: str
    figures: Sequence[Drawn]
    numbers: Table
    tables: Sequence[Table]
    explanation: Explained | None
    chosen: Table | None
    model: Card
    provenance: Card


def panel_ids(board: AnyBoard) -> list[str]:
    """An address inside the page for each row, from its label."""
    # A name of a file is one of an id too; the ceiling has a label like any other row.
    return [f"model-{name}" for name in file_names(every_row(board))]  # type: ignore[arg-type]


def panels(board: AnyBoard, second: Mapping[str, Estimate]) -> list[Panel]:
    """One panel for each row of the table, in its order.

    Parameters
    ----------
    second : mapping
        Cell key -> AUC by the refit bootstrap, where those cells were run.
    """
    return [
        _panel(row, board, name, second)
        for row, name in zip(every_row(board), panel_ids(board), strict=True)
    ]


def _panel(row: AnyRow, board: AnyBoard, name: str, second: Mapping[str, Estimate]) -> Panel:
    return Panel(
        name,
        row.label,
        [drawn(item, name) for item in _figures(row, board)],
        Table("Every number", "", NUMBER_COLUMNS, _numbers(row, board, second)),
        _tables(row, board),
        _explained(row, board, name),
        None if row.cell is None else chosen(row.cell.folds),
        model_card(row) if row.cell else [],
        _public(provenance(row)) if row.cell else [],
    )


def drawn(item: Illustration, prefix: str) -> Drawn:
    """An illustration of the report as markup inside a page."""
    markup = inline(item.vector, name=f"{prefix}-{item.name}", alt=item.alt)
    return Drawn(markup, item.caption, item.wide)


def _figures(row: AnyRow, board: AnyBoard) -> Iterator[Illustration]:
    if isinstance(row, BenefitRow):
        yield from of_benefit_cell(row)
    elif isinstance(board, Board):
        yield from of_cell(row, board)


def _numbers(row: AnyRow, board: AnyBoard, second: Mapping[str, Estimate]) -> list[list[str]]:
    if isinstance(row, Row):
        return numbers(row, second.get(row.cell.key) if row.cell else None)
    assert isinstance(board, BenefitBoard)
    return benefit_numbers(row, board)


def _tables(row: AnyRow, board: AnyBoard) -> list[Table]:
    if isinstance(row, Row) and isinstance(board, Board):
        return [replace(table, caption=table.caption or table.title)
                for table in cell_tables(row, board)]  # fmt: skip
    return []


def _explained(row: AnyRow, board: AnyBoard, name: str) -> Explained | None:
    if not isinstance(row, Row) or not isinstance(board, Board):
        return None
    section = explanation_section(row, board)
    if section is None:
        return None
    figures = [drawn(item, name) for item in section.figures]
    return Explained(section.words, figures, section.table)


def _public(card: Card) -> Card:
    """Without the folders of the machine that computed it: the page is made to be published."""
    return [(name, without_folders(text) if name == "repeat with" else text) for name, text in card]


def chosen(folds: Sequence[FoldResult]) -> Table | None:
    """What tuning chose in each outer fold, in one line for each parameter."""
    tuned = [fold.params for fold in folds if fold.trials]
    names = sorted({name for params in tuned for name in params})
    if not names:
        return None
    rows = [[name, *_summary([p[name] for p in tuned if name in p])] for name in names]
    return Table(
        "Chosen by tuning",
        f"What {len(tuned)} outer folds chose, each for itself",
        ("parameter", "middle or most often", "range or others"),
        rows,
    )


def _summary(values: Sequence[Any]) -> tuple[str, str]:
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool)
                  for value in values)  # fmt: skip
    if numeric:
        low, middle, high = np.quantile(np.asarray(values, dtype=float), [0, 0.5, 1])
        return f"{middle:.3g}", f"{low:.3g} to {high:.3g}"
    counts = Counter(str(value) for value in values).most_common()
    said = [f"{name} ({count} of {len(values)})" for name, count in counts]
    more = [*said[1 : 1 + OPTIONS_SHOWN], *(["…"] if len(said) > 1 + OPTIONS_SHOWN else [])]
    return said[0], ", ".join(more)
