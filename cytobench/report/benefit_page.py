"""Pages of the benefit task: one for an entry, one for each rule that was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytobench.leaderboard.benefit import SINGLE, BenefitBoard, BenefitRow
from cytobench.leaderboard.benefit_sheet import TITLES, all_rows, assignment_line, sheet
from cytobench.leaderboard.tables import number, p_value
from cytobench.report.benefit_figures import of_benefit_board, of_benefit_cell
from cytobench.report.cards import dataset_card, model_card, provenance
from cytobench.report.cohort_page import write_cohort_page
from cytobench.report.illustrations import Illustration
from cytobench.report.parts import INDEX, SUITE, cautions, file_names, write_figures
from cytobench.report.tables import NUMBER_COLUMNS, Table, estimate_line, interval
from cytobench.report.tripod import checklist
from cytobench.report.writing import render, write_page


def write_benefit_reports(
    board: BenefitBoard, folder: Path, cohort: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write an entry's page, its rules' pages, and the figures; the entry's page comes first."""
    run = [row for row in board.rows if row.cell]
    names = dict(zip(map(id, run), file_names(run), strict=True))
    beside = [] if cohort is None else [write_cohort_page(cohort, folder, home=INDEX)]
    drawn = list(of_benefit_board(board))
    addresses = [f"{names[id(row)]}.html" if id(row) in names else "" for row in all_rows(board)]
    page = entry_page(board, addresses, drawn, beside[0].name if beside else "")
    written = [write_page(folder / INDEX, page.encode()), *beside]
    write_figures(folder / "figures", drawn)
    for row in run:
        name = names[id(row)]
        drawn = list(of_benefit_cell(row))
        text = benefit_cell_page(row, board, drawn, home=INDEX)
        written.append(write_page(folder / f"{name}.html", text.encode()))
        write_figures(folder / "figures" / name, drawn)
    return written


def entry_page(
    board: BenefitBoard, addresses: Sequence[str], drawn: Sequence[Illustration], cohort: str
) -> str:
    """The page of an entry; `addresses` are those of the rows' pages, empty where there is none."""
    page = sheet(board)
    rows = [
        {"cells": cells, "address": address}
        for cells, address in zip(page.rows, addresses if page.rows else [], strict=True)
    ]
    return render(
        "entry.html",
        title=page.title,
        home=SUITE,
        **cautions(board.entry.about),
        lead=page.summary[0],
        summary=_after_cautions(page.summary),
        caption=f"{board.entry.suite}, highest first; the order among tied rows means nothing",
        columns=page.columns,
        rows=rows,
        footnotes=page.footnotes,
        figures=drawn,
        tables=[
            Table(table.title, table.title, table.columns, table.rows, (table.note,))
            for table in page.tables
        ],
        audit=board.entry.about.get("audit"),
        dataset_card=dataset_card(board.entry.about),
        cohort=cohort,
    )


def _after_cautions(summary: Sequence[str]) -> list[str]:
    """The sentences below the lead, without those that the page shows as cautions."""
    return [line for line in summary[1:] if not line.startswith(("Simulated patients:", "Caveat:"))]


def benefit_cell_page(
    row: BenefitRow, board: BenefitBoard, drawn: Sequence[Illustration], *, home: str = ""
) -> str:
    """The page of one rule.

    Parameters
    ----------
    home : str
        Address of the entry's page; empty for a page that stands alone.
    """
    assert row.cell is not None
    about = row.cell.about
    value = row.estimate("value")
    result = f"Value {number(value)}, n = {row.n}; {value.method}."
    if board.refusal:
        result = f"Refused: {board.refusal}."
    items, page = checklist(about, result), sheet(board)
    return render(
        "cell.html",
        title=f"{row.label}: {page.title}",
        home=home,
        lead=" ".join([*_after_cautions(page.summary)[:3], assignment_line(about)]),
        **cautions(about),
        keys=_keys(row, board),
        figures=drawn,
        number_columns=NUMBER_COLUMNS,
        numbers=numbers(row, board),
        tables=[],
        explanation=None,
        audit=about.get("audit"),
        model_card=model_card(row),
        dataset_card=dataset_card(about),
        tripod=items,
        filled=sum(item.by_run for item in items),
        provenance=provenance(row),
    )


def numbers(row: BenefitRow, board: BenefitBoard) -> list[list[str]]:
    """Every number of a rule, one line each."""
    found = [
        estimate_line(TITLES[name], estimate, row.n)
        for name, estimate in row.assessment.estimates.items()
    ]
    gains = {SINGLE: row.gain, board.rule or "": row.over_rule}
    return found + [
        estimate_line(f"gain over {name}", item.difference, row.n, signed=True)
        for name, item in gains.items()
        if item is not None
    ]


def _keys(row: BenefitRow, board: BenefitBoard) -> list[dict[str, str]]:
    if board.refusal:
        return [{"name": "Value", "value": "refused", "note": board.refusal}]
    value = row.estimate("value")
    found = [
        {
            "name": "Value",
            "value": f"{value.value:.3f}",
            "note": f"95 % interval {interval(value)}; n = {row.n}",
        }
    ]
    for name, item in ((SINGLE, row.gain), (board.rule, row.over_rule)):
        if item is not None:
            p = f", p = {p_value(row.p_gain)} after Holm" if name == SINGLE and row.p_gain else ""
            found.append(
                {
                    "name": f"Gain over {name}",
                    "value": f"{item.difference.value:+.3f}",
                    "note": f"95 % interval {interval(item.difference, '+.3f')}; paired{p}",
                }
            )
    if row.gain:
        found.append(
            {
                "name": "Treatment changed",
                "value": f"{row.gain.changed:.0%}",
                "note": f"of patients, against the {SINGLE}",
            }
        )
    return found
