"""The page of one entry: its table, what each row opens into, and every other number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard
from cytobench.leaderboard.benefit_sheet import sheet
from cytobench.leaderboard.rank import REFERENCE, Board
from cytobench.leaderboard.readme import SCHEMA, tied_with
from cytobench.leaderboard.tables import TITLES
from cytobench.leaderboard.words import footnotes, summary, title
from cytobench.report.benefit_figures import of_benefit_board
from cytobench.report.cards import dataset_card
from cytobench.report.illustrations import Illustration, of_board
from cytobench.report.parts import cautions
from cytobench.report.tables import Table, entry_tables, interval
from cytobench.report.text import slug
from cytobench.site.learning import Curves
from cytobench.site.pages import page
from cytobench.site.panel import drawn, panel_ids, panels
from cytobench.site.ranking import Ranking, ranking

HASH = 12
"""Characters of a hash that a person compares."""


def board_page(
    board: AnyBoard, second: Mapping[str, Estimate], learning: Curves | None = None
) -> str:
    """The page of an entry.

    Parameters
    ----------
    second : mapping
        Cell key -> AUC by the refit bootstrap, where those cells were run.
    learning : Curves, optional
        Learning curves on the same cohort and task.
    """
    about = board.entry.about
    table = ranking(board, panel_ids(board))
    lines = sheet(board).summary if isinstance(board, BenefitBoard) else summary(board)
    said = list(lines[1:])
    return page(
        "board.html",
        title=title(board),
        here=board.entry.name,
        trail=[("cytobench leaderboards", "../index.html"), (board.entry.suite, "index.html")],
        lead=lines[0],
        **cautions(about),
        facts=facts(board),
        # Cautions stand in front of the numbers, as notes of their own.
        summary=[line for line in said if not line.startswith(("Simulated patients:", "Caveat:"))],
        ranking=table,
        refusal="" if table else f"Refused: {getattr(board, 'refusal', '')}.",
        caption=f"{board.entry.suite}: {title(board)}; best first",
        roles=_seen(table, "role"),
        kinds_of_inputs=_seen(table, "inputs"),
        footnotes=_footnotes(board),
        figures=[drawn(item, "board") for item in _figures(board)],
        learning=[drawn(item, "curve") for item in learning.figures()] if learning else [],
        learning_table=learning.table() if learning else None,
        panels=panels(board, second),
        tables=_tables(board),
        audit=about.get("audit"),
        dataset_card=dataset_card(about),
        json=f"{slug(board.entry.name)}.json",
        schema=f"../{SCHEMA}",
        fingerprint=about["dataset"]["fingerprint"][:HASH],
        plan=about["plan"][:HASH],
    )


def facts(board: AnyBoard) -> list[dict[str, str]]:
    """The best, what it is tied with, and the ends that it lies between."""
    about, best = board.entry.about, board.rows[0]
    share = "" if about["events"] is None else f"{about['outcome_mean']:.0%} with the outcome"
    found = [{"name": "Patients", "value": str(about["n"]), "note": share}]
    if isinstance(board, BenefitBoard) and board.refusal:
        return found
    name = TITLES[board.headline]
    found.append(_fact(f"Best {name}", best.estimate(board.headline), best.label))
    if best.tied_with_best is not None:
        note = "rows cannot be told apart from it"
        found.append({"name": "Tied with it", "value": str(tied_with(board)), "note": note})
    floor = next((r for r in board.rows if r.cell and r.cell.about["model"]["name"] == REFERENCE),
                 None)  # fmt: skip
    if floor is not None:
        found.append(_fact("Clinical floor", floor.estimate(board.headline), floor.label))
    if board.ceiling is not None:
        note = "what knowing the truth achieves"
        found.append(_fact("Ceiling", board.ceiling.estimate(board.headline), note))
    return found


def _fact(name: str, estimate: Estimate, note: str) -> dict[str, str]:
    if estimate.value != estimate.value:
        return {"name": name, "value": "undefined", "note": estimate.method}
    ends = interval(estimate)
    return {
        "name": name,
        "value": f"{estimate.value:.3f}",
        "note": f"{ends}; {note}" if ends else note,
    }


def _seen(table: Ranking | None, what: str) -> list[str]:
    """Which values a filter can choose from."""
    found = [getattr(line, what) for line in table.lines] if table else []
    return sorted({value for value in found if value})


def _footnotes(board: AnyBoard) -> Sequence[str]:
    return sheet(board).footnotes if isinstance(board, BenefitBoard) else footnotes(board)


def _figures(board: AnyBoard) -> Iterator[Illustration]:
    return of_benefit_board(board) if isinstance(board, BenefitBoard) else of_board(board)


def _tables(board: AnyBoard) -> list[Table]:
    """Every other table; a caption of its own for each, since screen readers list them."""
    if isinstance(board, Board):
        found = entry_tables(board)
    else:
        found = [
            Table(item.title, item.title, item.columns, item.rows, (item.note,))
            for item in sheet(board).tables
        ]
    return [replace(item, caption=item.caption or item.title) for item in found]
