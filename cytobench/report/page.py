"""Self-contained HTML pages: one for each cell, one for each suite entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import TITLES, headers, number, p_value, table_rows
from cytobench.leaderboard.words import footnotes, summary, title
from cytobench.report.benefit_page import write_benefit_reports
from cytobench.report.cards import dataset_card, model_card, provenance
from cytobench.report.cohort_page import write_cohort_page
from cytobench.report.explanation import Section, explanation_section
from cytobench.report.illustrations import Illustration, of_board, of_cell
from cytobench.report.parts import INDEX, SUITE, cautions, file_names, write_figures
from cytobench.report.tables import NUMBER_COLUMNS, cell_tables, entry_tables, interval, numbers
from cytobench.report.tripod import checklist
from cytobench.report.writing import render, write_page


def write_reports(
    board: AnyBoard,
    root: Path,
    second: Mapping[str, Estimate],
    cohort: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write an entry's page, its models' pages, and the figures as SVG and PNG.

    Parameters
    ----------
    second : mapping
        Cell key -> AUC by the refit bootstrap, where those cells were run.
    cohort : mapping, optional
        The cohort's aggregates, for a page of its own.

    Returns
    -------
    list of Path
        ``<suite>/<entry>/index.html``, then one page for each model.

    Raises
    ------
    StoreError
        ``E702`` where a file cannot be written.
    """
    folder = root / board.entry.suite / board.entry.name
    if isinstance(board, BenefitBoard):
        return write_benefit_reports(board, folder, cohort)
    names = file_names(board.rows)
    drawn = list(of_board(board))
    pages = [f"{name}.html" for name in names]
    beside = [] if cohort is None else [write_cohort_page(cohort, folder, home=INDEX)]
    address = beside[0].name if beside else ""
    page = entry_page(board, pages, drawn, home=SUITE, cohort=address)
    written = [write_page(folder / INDEX, page.encode()), *beside]
    write_figures(folder / "figures", drawn)
    for row, name in zip(board.rows, names, strict=True):
        drawn = list(of_cell(row, board))
        opinion = second.get(row.cell.key) if row.cell else None
        section = explanation_section(row, board)
        text = cell_page(row, board, drawn, opinion, section, home=INDEX)
        written.append(write_page(folder / f"{name}.html", text.encode()))
        write_figures(folder / "figures" / name, [*drawn, *(section.figures if section else ())])
    return written


def entry_page(
    board: Board,
    pages: Sequence[str],
    drawn: Sequence[Illustration],
    *,
    home: str = "",
    cohort: str = "",
) -> str:
    """The page of a suite entry.

    Parameters
    ----------
    pages : sequence of str
        The address of each row's page, in the order of the rows.
    home, cohort : str
        Addresses of the suite's and the cohort's page; empty where there is none.
    """
    addresses = [*([""] if board.ceiling else []), *pages]
    rows = [
        {"cells": cells, "address": address}
        for cells, address in zip(table_rows(board), addresses, strict=True)
    ]
    return render(
        "entry.html",
        title=title(board),
        home=home,
        **cautions(board.entry.about),
        lead=summary(board)[0],
        summary=summary(board)[-3:],
        caption=f"{board.entry.suite}, best first; the order among tied rows means nothing",
        columns=headers(board),
        rows=rows,
        footnotes=footnotes(board),
        figures=drawn,
        tables=entry_tables(board),
        audit=board.entry.about.get("audit"),
        dataset_card=dataset_card(board.entry.about),
        cohort=cohort,
    )


def cell_page(
    row: Row,
    board: Board,
    drawn: Sequence[Illustration],
    second: Estimate | None = None,
    section: Section | None = None,
    *,
    home: str = "",
) -> str:
    """The page of one model on one entry.

    Parameters
    ----------
    section : Section, optional
        What the model goes by, where that was asked.
    home : str
        Address of the entry's page; empty for a page that stands alone.
    """
    assert row.cell is not None
    about = row.cell.about
    headline = row.estimate(board.headline)
    result = f"{TITLES[board.headline]} {number(headline)}, n = {row.n}; {headline.method}."
    items = checklist(about, result)
    return render(
        "cell.html",
        title=f"{row.label}: {title(board)}",
        home=home,
        lead=" ".join(summary(board)[-3:]),
        **cautions(board.entry.about),
        keys=_keys(row, board),
        figures=drawn,
        number_columns=NUMBER_COLUMNS,
        numbers=numbers(row, second),
        tables=cell_tables(row, board),
        explanation=section,
        audit=about.get("audit"),
        model_card=model_card(row),
        dataset_card=dataset_card(about),
        tripod=items,
        filled=sum(item.by_run for item in items),
        provenance=provenance(row),
    )


def _keys(row: Row, board: Board) -> list[dict[str, str]]:
    headline = board.headline
    found = [_key(TITLES[headline], row.estimate(headline), f"n = {row.n}")]
    if row.added is not None:
        name = f"{TITLES[headline]} added to {row.added.reference}"
        found.append(_key(name, row.added.differences[headline], "paired", signed=True))
    found.append(_key("Calibration slope", row.estimate("calibration_slope"), "1 is perfect"))
    if board.kind == "classification":
        at = f"at a threshold of {row.assessment.decide_at:g}"
        found.append(_key("Net benefit", row.estimate("net_benefit"), at))
    if row.chance is not None:
        note = f"{row.chance.permutations} permutations of the whole procedure"
        found.append({"name": "p, chance", "value": p_value(row.chance.p), "note": note})
    return found


def _key(name: str, estimate: Estimate, note: str, *, signed: bool = False) -> dict[str, str]:
    form = "+.3f" if signed else ".3f"
    if estimate.value != estimate.value:
        return {"name": name, "value": "undefined", "note": estimate.method}
    said = interval(estimate, form)
    ends = f"95 % interval {said}; " if said else f"{estimate.method}; "
    return {"name": name, "value": f"{estimate.value:{form}}", "note": ends + note}
