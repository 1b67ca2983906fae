"""Print a board in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cytobench import console
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard, BenefitRow
from cytobench.leaderboard.benefit_sheet import all_rows, marker_lines, sheet
from cytobench.leaderboard.rank import Row
from cytobench.leaderboard.sites import MATRIX_NOTE, at_each, matrices, per_site
from cytobench.leaderboard.tables import TITLES, headers, table_rows
from cytobench.leaderboard.words import footnotes, summary, title

COUNTS = ("n", "folds", "s per fold")
YIELDING = ("s per fold", "folds", "n", "changed", "p")
"""What a narrow terminal shows last."""
IN_TERMINAL = ("Overlap",)
"""Tables of treatment rules beside the first; the others are in the files and the report."""


def show(board: AnyBoard) -> None:
    """Print title, summary, table and footnotes."""
    if isinstance(board, BenefitBoard):
        _show_sheet(board)
        return
    console.say()
    console.say(f"{board.entry.suite}: {title(board)}", style="bold")
    for line in summary(board):
        console.paragraph(line)
    rows = [*([board.ceiling] if board.ceiling else []), *board.rows]
    console.table(
        headers(board), table_rows(board), right=COUNTS, yielding=YIELDING, styles=_styles(rows)
    )
    sites = per_site(board)
    if sites:
        console.table(*sites, title=f"{TITLES[board.headline]} (95 % interval) {at_each(board)}")
    matrix = matrices(board)
    for label, table in matrix.items():
        console.table(*table, title=f"{label}: study against study")
    if matrix:
        console.paragraph(MATRIX_NOTE, indent="  ", style="dim")
    for note in footnotes(board):
        console.paragraph(note, indent="  ", style="dim")


def _styles(rows: Sequence[Row] | Sequence[BenefitRow]) -> list[str]:
    """Floors and the ceiling step back behind the models."""
    return ["" if row.role == "model" else "dim" for row in rows]


def _show_sheet(board: BenefitBoard) -> None:
    page = sheet(board)
    console.say()
    console.say(f"{board.entry.suite}: {page.title}", style="bold")
    for line in page.summary:
        console.paragraph(line)
    if page.rows:
        console.table(
            page.columns, page.rows, right=COUNTS, yielding=YIELDING,
            styles=_styles(all_rows(board)),
        )  # fmt: skip
    for table in page.tables:
        if table.title in IN_TERMINAL:
            console.table(table.columns, table.rows, title=table.title)
    for line in marker_lines(board.entry.about):
        console.paragraph(line)
    for note in page.footnotes:
        console.paragraph(note, indent="  ", style="dim")
