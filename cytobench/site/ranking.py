"""The table of an entry: rows in groups of ties, each with its interval drawn on a common scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard, BenefitRow
from cytobench.leaderboard.benefit_sheet import sheet
from cytobench.leaderboard.rank import REFERENCE, Row
from cytobench.leaderboard.tables import headers, table_rows

AnyRow = Row | BenefitRow
HEADLINE_COLUMN = 2
"""After the model and its role."""
MINOR = ("n", "folds", "s per fold")
"""Columns that give way on a narrow screen; a row's panel says them too."""
GROUPS = {
    "ceiling": "Ceiling: what knowing the truth achieves",
    "tied": "With the best: these cannot be told apart, their order means nothing",
    "worse": "Worse than the best",
    "untested": "Not tested against each other under this protocol",
}


@dataclass(frozen=True)
class Text:
    """A cell: the board's own words, parted for the eye.

    Attributes
    ----------
    main : str
        The number.
    aside : str
        Its interval.
    """

    main: str
    aside: str = ""


@dataclass(frozen=True)
class Bar:
    """Where an interval lies on the common scale, in per cent of its width."""

    low: float | None
    high: float | None
    at: float


@dataclass(frozen=True)
class Line:
    """One row of the table.

    Attributes
    ----------
    rank : str
        ``=1`` for the best and all that are tied with it; empty for the ceiling.
    inputs : str
        What the model sees; empty for what is no model.
    verification : {"local", "verified", "recomputed"}
        Run here, or how far a submission was verified.
    cells : sequence of Text
        From the headline metric on.
    bar : Bar or None
        None where the headline metric is undefined.
    """

    rank: str
    label: str
    role: str
    summary: str
    inputs: str
    verification: str
    cells: Sequence[Text]
    bar: Bar | None
    panel: str


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under a heading."""

    name: str
    heading: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Scale:
    """The common scale of the intervals: its ends, and where floor and ceiling lie on it."""

    low: float
    high: float
    floor: float | None
    ceiling: float | None

    def __call__(self, value: float) -> float:
        """Per cent of the width."""
        return 100 * (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Ranking:
    """What the template draws of a board.

    Attributes
    ----------
    columns : sequence of str
        From the headline metric on.
    minor : sequence of bool
        Which of them give way on a narrow screen.
    """

    columns: Sequence[str]
    minor: Sequence[bool]
    groups: Sequence[Group]
    scale: Scale

    @property
    def lines(self) -> list[Line]:
        """All rows in the order of the page."""
        return [line for group in self.groups for line in group.lines]


def every_row(board: AnyBoard) -> list[AnyRow]:
    """The ceiling above all others."""
    return [*([board.ceiling] if board.ceiling else []), *board.rows]


def ranking(board: AnyBoard, panels: Sequence[str]) -> Ranking | None:
    """The table of a board; None where the comparison is refused.

    Parameters
    ----------
    panels : sequence of str
        The id of each row's panel, in the order of `every_row`.
    """
    if isinstance(board, BenefitBoard):
        page = sheet(board)
        columns, texts = list(page.columns), page.rows
    else:
        columns, texts = headers(board), table_rows(board)
    if not texts:
        return None
    scale = _scale(board)
    rows = every_row(board)
    ranks = _ranks(rows)
    lines = [
        _line(row, rank, text, panel, scale, board.headline)
        for row, rank, text, panel in zip(rows, ranks, texts, panels, strict=True)
    ]
    shown = columns[HEADLINE_COLUMN:]
    return Ranking(shown, [name in MINOR for name in shown], list(_groups(rows, lines)), scale)


def _line(
    row: AnyRow, rank: str, texts: Sequence[str], panel: str, scale: Scale, headline: str
) -> Line:
    model = row.cell.about["model"] if row.cell else {}
    return Line(
        rank,
        row.label,
        row.role,
        str(model.get("summary", "")),
        " + ".join(model.get("inputs", ())),
        row.verification,
        [_parted(text) for text in texts[HEADLINE_COLUMN:]],
        _bar(row, scale, headline),
        panel,
    )


def _parted(text: str) -> Text:
    """``0.712 (0.650 to 0.768)`` as the number and its interval."""
    number, bracket, rest = text.partition(" (")
    return Text(number, rest[:-1]) if bracket and rest.endswith(")") else Text(text)


def _bar(row: AnyRow, scale: Scale, headline: str) -> Bar | None:
    found = row.estimate(headline)
    if found.value != found.value:
        return None
    if found.low is None or found.high is None:
        return Bar(None, None, scale(found.value))
    return Bar(scale(found.low), scale(found.high), scale(found.value))


def _scale(board: AnyBoard) -> Scale:
    """From the lowest end of an interval to the highest, a little wider."""
    rows = every_row(board)
    found = [row.estimate(board.headline) for row in rows]
    ends = [
        end for item in found for end in (item.low, item.value, item.high)
        if end is not None and end == end
    ]  # fmt: skip
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = 0.03 * (high - low) or 0.5
    ends_only = Scale(low - margin, high + margin, None, None)
    floor = next((r for r in rows if r.cell and r.cell.about["model"]["name"] == REFERENCE), None)
    return Scale(
        ends_only.low,
        ends_only.high,
        _place(floor, ends_only, board.headline),
        _place(board.ceiling, ends_only, board.headline),
    )


def _place(row: AnyRow | None, scale: Scale, headline: str) -> float | None:
    if row is None:
        return None
    value = row.estimate(headline).value
    return scale(value) if value == value else None


def _ranks(rows: Sequence[AnyRow]) -> list[str]:
    """Positions; all that are tied with the best share the first."""
    found, position = [], 0
    for row in rows:
        if row.role == "ceiling":
            found.append("")
            continue
        position += 1
        tied = row.tied_with_best is True and sum(r.tied_with_best is True for r in rows) > 1
        found.append("=1" if tied else str(position))
    return found


def _groups(rows: Sequence[AnyRow], lines: Sequence[Line]) -> Iterator[Group]:
    belongs = [_group(row) for row in rows]
    for name, heading in GROUPS.items():
        inside = [line for line, group in zip(lines, belongs, strict=True) if group == name]
        if inside:
            yield Group(name, heading, inside)


def _group(row: AnyRow) -> str:
    if row.role == "ceiling":
        return "ceiling"
    return {True: "tied", False: "worse", None: "untested"}[row.tied_with_best]
