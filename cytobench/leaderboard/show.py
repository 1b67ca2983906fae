"""Print a board in the terminal."""

from __future__ import annotations

from cytobench import console
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard
from cytobench.leaderboard.benefit_sheet import marker_lines, sheet
from cytobench.leaderboard.sites import MATRIX_NOTE, at_each, matrices, per_site
from cytobench.leaderboard.tables import TITLES, headers, table_rows
from cytobench.leaderboard.words import footnotes, summary, title

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
        console.say(line)
    columns = headers(board)
    console.table(columns, table_rows(board), right=("n", "folds", "s per fold"))
    sites = per_site(board)
    if sites:
        console.table(*sites, title=f"{TITLES[board.headline]} (95 % interval) {at_each(board)}")
    matrix = matrices(board)
    for label, table in matrix.items():
        console.table(*table, title=f"{label}: study against study")
    if matrix:
        console.say(f"  {MATRIX_NOTE}", style="dim")
    for note in footnotes(board):
        console.say(f"  {note}", style="dim")


def _show_sheet(board: BenefitBoard) -> None:
    page = sheet(board)
    console.say()
    console.say(f"{board.entry.suite}: {page.title}", style="bold")
    for line in page.summary:
        console.say(line)
    if page.rows:
        console.table(page.columns, page.rows, right=("n", "folds", "s per fold"))
    for table in page.tables:
        if table.title in IN_TERMINAL:
            console.table(table.columns, table.rows, title=table.title)
    for line in marker_lines(board.entry.about):
        console.say(line)
    for note in page.footnotes:
        console.say(f"  {note}", style="dim")
