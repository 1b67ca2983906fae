"""Write the site: one folder of pages, the boards as JSON, and the schema of those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.opinions import second_opinions
from cytobench.leaderboard.readme import SCHEMA
from cytobench.leaderboard.render import to_json
from cytobench.leaderboard.schema import schema_text
from cytobench.report.text import slug
from cytobench.report.writing import write_page
from cytobench.run.jobs import AD_HOC
from cytobench.run.store import RunStore
from cytobench.site.board import board_page
from cytobench.site.learning import learning_curves, question
from cytobench.site.overview import index_page, over_page, suite_page

INDEX = "index.html"


def write_site(
    boards: Sequence[AnyBoard],
    store: RunStore,
    out: Path,
    written_board: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write the pages of these boards.

    Parameters
    ----------
    store : RunStore
        Where the boards are from: learning curves and second opinions are in it, too.
    written_board : callable
        Told the name of each board whose page is there.

    Returns
    -------
    list of Path
        The index first.

    Raises
    ------
    StoreError
        ``E702`` where a file cannot be written.
    """
    suites: dict[str, Sequence[AnyBoard]] = {
        name: [board for board in boards if board.entry.suite == name]
        for name in sorted({board.entry.suite for board in boards}, key=_order)
    }
    curves, second = learning_curves(store), second_opinions(store, boards)
    written = [write_page(out / INDEX, index_page(suites).encode())]
    written.append(write_page(out / SCHEMA, schema_text().encode()))
    for suite, inside in suites.items():
        folder = out / slug(suite)
        written.append(write_page(folder / INDEX, suite_page(suite, inside).encode()))
        written.append(write_page(folder / "over-datasets.html", over_page(suite, inside).encode()))
        for board in inside:
            text = board_page(board, second, curves.get(question(board)))
            name = slug(board.entry.name)
            written.append(write_page(folder / f"{name}.html", text.encode()))
            written.append(write_page(folder / f"{name}.json", to_json(board).encode()))
            if written_board is not None:
                written_board(board.entry.name)
    return written


def _order(suite: str) -> tuple[bool, str]:
    """Named suites first: what was tried beside them is no leaderboard that is kept."""
    return suite == AD_HOC, suite
