"""The page of a suite: its entries, and the models ranked over datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cytobench.leaderboard.across import Across, across, ranking_of, ranks_table
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.tables import TITLES, number
from cytobench.leaderboard.words import title
from cytobench.report.illustrations import Illustration
from cytobench.report.ranks_figure import ranks_figure
from cytobench.report.tables import Table
from cytobench.report.writing import render, write_page


def write_overviews(boards: Sequence[AnyBoard], root: Path) -> list[Path]:
    """Write ``<suite>/index.html`` for every suite of these boards."""
    suites = sorted({board.entry.suite for board in boards})
    return [_write(suite, [b for b in boards if b.entry.suite == suite], root) for suite in suites]


def _write(suite: str, boards: Sequence[AnyBoard], root: Path) -> Path:
    matrices = across(boards)
    drawn = [item for matrix in matrices for item in figures_of(matrix)]
    for illustration in drawn:
        for name, content in illustration.files().items():
            write_page(root / suite / "figures" / name, content)
    page = render(
        "suite.html",
        title=f"Suite {suite}",
        entries=[_entry(board) for board in boards],
        figures=drawn,
        tables=[table for matrix in matrices for table in _tables(matrix)],
    )
    return write_page(root / suite / "index.html", page.encode())


def _entry(board: AnyBoard) -> dict[str, str]:
    best = board.rows[0]
    tied = sum(row.tied_with_best is True for row in board.rows)
    return {
        "address": f"{board.entry.name}/index.html",
        "title": f"{title(board)}, {board.entry.about['protocol']['name'].replace('_', ' ')}",
        "n": str(best.n),
        "best": f"{TITLES[board.headline]} {number(best.estimate(board.headline))}",
        "tied": f"{best.label}" + (f" and {tied - 1} tied with it" if tied > 1 else ""),
    }


def figures_of(matrix: Across) -> list[Illustration]:
    """Mean ranks with their intervals; none with fewer than two real cohorts."""
    ranking = ranking_of(matrix)
    if ranking is None:
        return []
    heading = (
        f"Models over datasets, by {TITLES[matrix.headline]}; {matrix.protocol.replace('_', ' ')}"
    )
    return [
        Illustration(
            f"ranks-{matrix.headline}-{matrix.protocol}",
            ranks_figure(ranking, heading),
            f"Mean ranks with 95 % intervals. {ranking.said}",
            f"Mean ranks of {len(ranking.models)} models; the numbers are in the table.",
            wide=True,
        )
    ]


def _tables(matrix: Across) -> list[Table]:
    columns, rows, notes = ranks_table(matrix)
    heading = f"Over datasets, by {TITLES[matrix.headline]}; {matrix.protocol.replace('_', ' ')}"
    return [Table(heading, "Mean rank over real cohorts", columns, rows, tuple(notes))]
