"""The files of a run in MLflow: tables of folds, trials and every number, figures, the report."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

from cytobench.core.hashing import digest
from cytobench.leaderboard.benefit import BenefitBoard, BenefitRow
from cytobench.leaderboard.kept import framework, keep, kept
from cytobench.leaderboard.rank import Board, Row
from cytobench.report.benefit_figures import of_benefit_cell
from cytobench.report.benefit_page import benefit_cell_page
from cytobench.report.cohort_page import cohort_page
from cytobench.report.explanation import explanation_section
from cytobench.report.illustrations import Illustration, of_cell
from cytobench.report.page import cell_page
from cytobench.report.writing import environment
from cytobench.run.store import RunStore, StoredCell
from cytobench.tracking.tables import tables

COHORTS = "pages-of-cohorts"
"""Where their pages are kept beside those of boards."""
DRAW = (
    "cytobench.report.framing",
    "skmisc.loess",
    "statsmodels.genmod.generalized_linear_model",
)


def import_what_draws() -> None:
    """Import what the first cell's numbers and figures would import, for a process that waits.

    Python no longer looks through all of it for garbage, of which every figure leaves some: that
    took as long, over some cells, as drawing them.
    """
    for name in DRAW:
        import_module(name)
    environment().get_template("cell.html")  # compiled
    gc.collect()
    gc.freeze()


def write_files(
    cell: StoredCell,
    shown: tuple[Board, Row] | tuple[BenefitBoard, BenefitRow] | None,
    folder: Path,
    cohort: str = "",
) -> None:
    """Write the artifacts of a cell into a folder.

    Parameters
    ----------
    shown : (Board, Row) or None
        The cell on its board; None for a cell that is not complete: it has tables only.
    cohort : str
        The page of the cohort; empty where there is none.
    """
    for name, text in tables(cell, shown[1] if shown else None).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    if shown is None:
        return
    drawn, page = _page(shown)
    (folder / "figures").mkdir()
    for illustration in drawn:
        # A raster beside it would cost as much again; MLflow shows SVG as it shows PNG.
        (folder / "figures" / f"{illustration.name}.svg").write_bytes(illustration.vector)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    if cohort:
        (folder / "cohort.html").write_text(cohort, encoding="utf-8", newline="\n")


def _page(
    shown: tuple[Board, Row] | tuple[BenefitBoard, BenefitRow],
) -> tuple[list[Illustration], str]:
    """The figures of a cell, and its page."""
    if isinstance(shown[0], BenefitBoard):
        board, rule = shown
        assert isinstance(rule, BenefitRow)
        drawn = list(of_benefit_cell(rule))
        return drawn, benefit_cell_page(rule, board, drawn)
    of, row = shown
    assert isinstance(of, Board)
    assert isinstance(row, Row)
    drawn, section = list(of_cell(row, of)), explanation_section(row, of)
    page = cell_page(row, of, drawn, section=section)
    return [*drawn, *(section.figures if section else ())], page


def cohort_text(store: RunStore, fingerprint: str) -> str:
    """The page of a cohort, drawn once for all its runs; empty where no aggregates were kept."""
    facts = store.cohort_facts(fingerprint)
    if facts is None:
        return ""
    name = f"{COHORTS}/{fingerprint}"
    made_from = digest({"framework": framework(), "facts": facts})
    text = kept(store, name, made_from)
    if text is None:
        text = cohort_page(facts)
        keep(store, name, made_from, text)
    return str(text)
