"""The files of a run in MLflow: tables of folds, trials and every number, figures, the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cytobench.leaderboard.rank import Board, Row
from cytobench.report.cohort_page import cohort_page
from cytobench.report.explanation import explanation_section
from cytobench.report.illustrations import of_cell
from cytobench.report.page import cell_page
from cytobench.run.store import StoredCell
from cytobench.tracking.record import tables


def write_files(
    cell: StoredCell,
    shown: tuple[Board, Row] | None,
    folder: Path,
    cohort: Mapping[str, Any] | None = None,
) -> None:
    """Write the artifacts of a cell into a folder.

    Parameters
    ----------
    shown : (Board, Row) or None
        The cell on its board; None for a cell that is not complete: it has tables only.
    cohort : mapping, optional
        The cohort's aggregates, for its page.
    """
    board, row = shown or (None, None)
    for name, text in tables(cell, row).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    if board is None or row is None:
        return
    drawn = list(of_cell(row, board))
    (folder / "figures").mkdir()
    section = explanation_section(row, board)
    for illustration in [*drawn, *(section.figures if section else ())]:
        for name, content in illustration.files().items():
            (folder / "figures" / name).write_bytes(content)
    page = cell_page(row, board, drawn, section=section)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    if cohort is not None:
        text = _cohort_page(json.dumps(cohort))
        (folder / "cohort.html").write_text(text, encoding="utf-8", newline="\n")


@lru_cache(maxsize=4)
def _cohort_page(facts: str) -> str:
    """Drawn once for all the runs of a cohort."""
    return cohort_page(json.loads(facts))
