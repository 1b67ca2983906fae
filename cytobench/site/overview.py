"""Pages above the entries: all suites, one suite, and its models over data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cytobench.evaluate.scores import LOWER_IS_BETTER
from cytobench.leaderboard.across import Across, across, ranking_of, ranks_table
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard
from cytobench.leaderboard.rank import REFERENCE
from cytobench.leaderboard.readme import commands, over_datasets, tied_with
from cytobench.leaderboard.tables import TITLES, number
from cytobench.leaderboard.words import title
from cytobench.report.overview import figures_of
from cytobench.report.text import slug
from cytobench.site.pages import page
from cytobench.site.panel import drawn

HOME = ("cytobench leaderboards", "../index.html")


def index_page(suites: dict[str, Sequence[AnyBoard]]) -> str:
    """All suites with their entries."""
    return page(
        "index.html",
        title="Leaderboards",
        here="cytobench leaderboards",
        trail=[],
        suites=[
            _suite(name, boards, f"{slug(name)}/", f"{slug(name)}/index.html")
            for name, boards in suites.items()
        ],
    )


def suite_page(suite: str, boards: Sequence[AnyBoard]) -> str:
    """One suite: its entries, what can be said over data sets, and how to repeat it."""
    return page(
        "suite.html",
        title=f"Suite {suite}",
        here=suite,
        trail=[("cytobench leaderboards", "../index.html")],
        shown={**_suite(suite, boards, "", ""), "name": "Entries"},
        over=over_datasets(boards),
        commands=commands(boards),
    )


def over_page(suite: str, boards: Sequence[AnyBoard]) -> str:
    """The models of a suite over its data sets; where they cannot be ranked, why not."""
    return page(
        "over.html",
        title=f"Suite {suite} over data sets",
        here="over data sets",
        trail=[HOME, (suite, "index.html")],
        parts=[_part(matrix, position) for position, matrix in enumerate(across(boards))],
    )


def _suite(name: str, boards: Sequence[AnyBoard], folder: str, address: str) -> dict[str, Any]:
    return {
        "id": slug(name),
        "name": name,
        "title": suite_title(name),
        "address": address,
        "entries": [_entry(board, folder) for board in boards],
    }


def suite_title(name: str) -> str:
    """What a suite is for, from its definition; empty for one that is not defined here."""
    from cytobench.registry.declared import declared

    found = declared("suite").get(name)
    return "" if found is None else str(found["summary"])


def _entry(board: AnyBoard, folder: str) -> dict[str, str]:
    about, best = board.entry.about, board.rows[0]
    refused = isinstance(board, BenefitBoard) and board.refusal is not None
    tied = tied_with(board)
    floor = next((r for r in board.rows if r.cell and r.cell.about["model"]["name"] == REFERENCE),
                 None)  # fmt: skip
    return {
        "address": f"{folder}{slug(board.entry.name)}.html",
        "title": title(board),
        "kind": str(about["dataset"]["kind"]),
        "protocol": str(about["protocol"]["name"]).replace("_", " "),
        "n": str(best.n),
        "best": "refused" if refused else best.label,
        "tied": f"and {tied} tied with it" if tied else "",
        "value": ""
        if refused
        else f"{TITLES[board.headline]} {number(best.estimate(board.headline))}",
        "floor": "" if floor is None else f"{floor.estimate(board.headline).value:.3f}",
        "ceiling": ""
        if board.ceiling is None
        else f"{board.ceiling.estimate(board.headline).value:.3f}",
    }


def _part(matrix: Across, position: int) -> dict[str, Any]:
    columns, ranks, notes = ranks_table(matrix)
    ranking = ranking_of(matrix)
    order = list(ranking.models) if ranking else list(matrix.models)
    sign = -1 if matrix.headline in LOWER_IS_BETTER else 1
    by_model = dict(zip(matrix.models, (sign * matrix.values).T, strict=True))
    return {
        "title": f"{TITLES[matrix.headline]}, {matrix.protocol.replace('_', ' ')}",
        "columns": columns,
        "ranks": ranks,
        "notes": notes,
        "figures": [drawn(item, f"over-{position}") for item in figures_of(matrix)],
        "value_columns": ["model", *matrix.entries],
        "scores": [[model, *(f"{value:.3f}" for value in by_model[model])] for model in order],
    }
