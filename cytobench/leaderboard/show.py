"""Print a board in the terminal."""

from __future__ import annotations

from cytobench import console
from cytobench.leaderboard.rank import Board
from cytobench.leaderboard.sites import MATRIX_NOTE, at_each, matrices, per_site
from cytobench.leaderboard.tables import TITLES, headers, table_rows
from cytobench.leaderboard.words import footnotes, summary, title


def show(board: Board) -> None:
    """Print title, summary, table and footnotes."""
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
