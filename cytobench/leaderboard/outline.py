"""What pages over several entries need of a board: few lines, no fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cytobench.core.stated import stated
from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard
from cytobench.leaderboard.words import title


@dataclass(frozen=True)
class OutlineRow:
    """A row in its place.

    Attributes
    ----------
    headline : Estimate
        The metric that orders the rows.
    command : str
        What repeats it; empty where nobody ran it here.
    """

    label: str
    n: int
    headline: Estimate
    tied_with_best: bool | None
    command: str


@dataclass(frozen=True)
class Outline:
    """A board without its tables.

    Attributes
    ----------
    cohort : str
        Whose patients they are: the dataset's name, unless several are of the same ones.
    refused : bool
        The comparison is: there are no values.
    """

    suite: str
    name: str
    title: str
    headline: str
    protocol: str
    dataset: str
    cohort: str
    simulated: bool
    fingerprint: str
    plan: str
    refused: bool
    rows: Sequence[OutlineRow]


def outlines(boards: Sequence[AnyBoard | Outline]) -> list[Outline]:
    """The outline of each."""
    return [board if isinstance(board, Outline) else _outline(board) for board in boards]


def _outline(board: AnyBoard) -> Outline:
    about = board.entry.about
    return Outline(
        suite=board.entry.suite,
        name=board.entry.name,
        title=title(board),
        headline=board.headline,
        protocol=str(about["protocol"]["name"]),
        dataset=str(about["dataset"]["name"]),
        cohort=str(about["dataset"].get("cohort") or about["dataset"]["name"]),
        simulated=about["dataset"]["kind"] == "simulated",
        fingerprint=str(about["dataset"]["fingerprint"]),
        plan=str(about["plan"]),
        refused=isinstance(board, BenefitBoard) and board.refusal is not None,
        rows=[
            OutlineRow(
                label=row.label,
                n=row.n,
                headline=row.estimate(board.headline),
                tied_with_best=row.tied_with_best,
                command=str(row.cell.about.get("command") or "") if row.cell else "",
            )
            for row in board.rows
        ],
    )


def to_plain(outline: Outline) -> dict[str, Any]:
    """The outline as plain data."""
    return asdict(outline)


def from_plain(found: Any) -> Outline:
    """The outline that :func:`to_plain` wrote.

    Raises
    ------
    ValueError
        For anything else.
    """
    outline: Outline = stated(Outline, found)
    return outline
