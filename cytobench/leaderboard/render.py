"""Write a board as JSON and as Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cytobench.leaderboard.across import across, ranks_table
from cytobench.leaderboard.benefit import AnyBoard, BenefitBoard, BenefitRow
from cytobench.leaderboard.benefit_sheet import sheet
from cytobench.leaderboard.outline import Outline
from cytobench.leaderboard.rank import Row, public
from cytobench.leaderboard.sites import (
    MATRIX_NOTE,
    SHIFT_NOTE,
    at_each,
    matrices,
    per_site,
    shift_table,
)
from cytobench.leaderboard.tables import (
    TITLES,
    added_value,
    adequacy_note,
    adequacy_table,
    headers,
    more_tables,
    selection_table,
    table_rows,
    worst_table,
)
from cytobench.leaderboard.words import WORST_NOTE, footnotes, more_note, summary, title
from cytobench.run.store import StoredCell

SCHEMA_VERSION = 2


def to_json(board: AnyBoard) -> str:
    """The whole board; every number rounded to 6 decimals."""
    if isinstance(board, BenefitBoard):
        return _written(_benefit_json(board))
    entry = board.entry
    document = {
        "schema_version": SCHEMA_VERSION,
        "suite": entry.suite,
        "entry": entry.name,
        **public(entry.about),
        "headline": board.headline,
        "rows": [_row_json(row) for row in board.rows],
        "ceiling": _row_json(board.ceiling) if board.ceiling else None,
        "added_to": board.reference,
        "unfinished": {name: list(counts) for name, counts in entry.unfinished.items()},
        "left_out": entry.left_out,
    }
    return _written(document)


def _written(document: dict[str, Any]) -> str:
    return json.dumps(_rounded(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _benefit_json(board: BenefitBoard) -> dict[str, Any]:
    entry = board.entry
    return {
        "schema_version": SCHEMA_VERSION,
        "suite": entry.suite,
        "entry": entry.name,
        **public(entry.about),
        "benefit": entry.about["benefit"],
        "headline": board.headline,
        "refusal": board.refusal,
        "overlap": [asdict(arm) for arm in board.rows[0].assessment.overlap],
        "gain_over_rule": board.rule,
        "rows": [_benefit_row(row) for row in board.rows],
        "ceiling": _benefit_row(board.ceiling) if board.ceiling else None,
        "unfinished": {name: list(counts) for name, counts in entry.unfinished.items()},
        "left_out": entry.left_out,
    }


def _benefit_row(row: BenefitRow) -> dict[str, Any]:
    out: dict[str, Any] = {
        "label": row.label,
        "role": row.role,
        "estimates": {
            name: asdict(estimate) for name, estimate in row.assessment.estimates.items()
        },
        "gain": asdict(row.gain) if row.gain else None,
        "p_gain": row.p_gain,
        "over_rule": asdict(row.over_rule) if row.over_rule else None,
        "tied_with_best": row.tied_with_best,
        "p_against_best": row.p_against_best,
        "n": row.n,
        "folds": row.folds,
        "seconds_per_fold": row.seconds,
    }
    return out if row.cell is None else out | _of_cell(row.cell)


def _row_json(row: Row) -> dict[str, Any]:
    out: dict[str, Any] = {
        "label": row.label,
        "role": row.role,
        "estimates": {
            name: asdict(estimate) for name, estimate in row.assessment.estimates.items()
        },
        "added": {name: asdict(item) for name, item in row.added.differences.items()}
        if row.added
        else None,
        "auc_added_by_bootstrap": asdict(row.added.by_bootstrap)
        if row.added and row.added.by_bootstrap
        else None,
        "p_added": row.added.p if row.added else None,
        "posterior": asdict(row.added.posterior) if row.added and row.added.posterior else None,
        "next_site": asdict(row.assessment.scores.over_sites.next_site)
        if row.assessment.scores.over_sites
        else None,
        "chance": asdict(row.chance) if row.chance else None,
        "selection": asdict(row.selection) if row.selection else None,
        "adequacy": asdict(row.assessment.adequacy) if row.assessment.adequacy else None,
        "subgroups": [asdict(item) for item in row.assessment.subgroups[0]],
        "interactions": [asdict(item) for item in row.assessment.subgroups[1]],
        "n": row.n,
        "sites": {site: {**asdict(estimate), "n": n} for site, (estimate, n) in row.sites.items()},
        "matrix": [
            {"trained_on": here, "tested_on": there, "n": n, **asdict(estimate)}
            for (here, there), (estimate, n) in row.matrix.items()
        ],
        "share_of_distance": asdict(row.share) if row.share else None,
        "folds": row.folds,
        "undefined_folds": row.undefined,
        "tied_with_best": row.tied_with_best,
        "p_against_best": row.p_against_best,
        "by_fold": {
            name: [None if k in row.assessment.scores.hidden else x for k, x in enumerate(values)]
            for name, values in row.by_fold.items()
        },
        "seconds_per_fold": row.seconds,
    }
    return out if row.cell is None else out | _of_cell(row.cell)


def _of_cell(cell: StoredCell) -> dict[str, Any]:
    about = cell.about
    return {
        "cell": cell.key,
        "model": about["model"],
        "config": about["config"]["model"],
        "versions": about["versions"],
        "verification": cell.verification,
        "submission": cell.submission,
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def to_markdown(board: AnyBoard) -> str:
    """The board as a page that a code host renders."""
    if isinstance(board, BenefitBoard):
        return _sheet_markdown(board)
    parts = [f"# {escaped(title(board))}", "", f"Suite `{board.entry.suite}`.", ""]
    parts += [*map(escaped, summary(board)), ""]
    parts += markdown_table(headers(board), table_rows(board))
    added = added_value(board)
    if added:
        parts += ["", f"## Gained over {escaped(str(board.reference))}", ""]
        parts += markdown_table(*added)
    for heading, table in more_tables(board).items():
        parts += ["", f"## {heading}", "", *more_note(heading, board), *markdown_table(*table)]
    size = adequacy_table(board)
    if size:
        parts += ["", "## Sample size", "", adequacy_note(board), "", *markdown_table(*size)]
    worst = worst_table(board)
    if worst:
        parts += ["", "## Worst subgroup", "", WORST_NOTE, "", *markdown_table(*worst)]
    selection = selection_table(board)
    if selection:
        parts += ["", "## The search, corrected for its own choice", ""]
        parts += markdown_table(*selection)
    sites = per_site(board)
    if sites:
        parts += ["", f"## {TITLES[board.headline]} (95 % interval) {at_each(board)}", ""]
        parts += markdown_table(*sites)
    matrix = matrices(board)
    if matrix:
        parts += ["", "## Study against study", "", MATRIX_NOTE]
    for label, table in matrix.items():
        parts += ["", f"### {escaped(label)}", "", *markdown_table(*table)]
    shift = shift_table(board)
    if shift:
        parts += ["", "## Shift between studies", "", SHIFT_NOTE, "", *markdown_table(*shift)]
    parts += ["", *(f"- {escaped(note)}" for note in footnotes(board)), ""]
    fingerprint, plan = board.entry.about["dataset"]["fingerprint"], board.entry.about["plan"]
    parts.append(f"Cohort `{fingerprint[:12]}`, splits `{plan[:12]}`.")
    return "\n".join(parts) + "\n"


def _sheet_markdown(board: BenefitBoard) -> str:
    page = sheet(board)
    parts = [f"# {escaped(page.title)}", "", f"Suite `{board.entry.suite}`.", ""]
    parts += [*map(escaped, page.summary), ""]
    parts += markdown_table(page.columns, page.rows) if page.rows else []
    for table in page.tables:
        parts += ["", f"## {table.title}", "", escaped(table.note), ""]
        parts += markdown_table(table.columns, table.rows)
    parts += ["", *(f"- {escaped(note)}" for note in page.footnotes), ""]
    fingerprint, plan = board.entry.about["dataset"]["fingerprint"], board.entry.about["plan"]
    parts.append(f"Cohort `{fingerprint[:12]}`, splits `{plan[:12]}`.")
    return "\n".join(parts) + "\n"


def across_markdown(suite: str, boards: Sequence[AnyBoard | Outline]) -> str:
    """The models of a suite over its datasets; empty where no two entries share a metric."""
    parts: list[str] = []
    for matrix in across(boards):
        columns, rows, notes = ranks_table(matrix)
        protocol = matrix.protocol.replace("_", " ")
        heading = (
            f"# Suite {escaped(suite)} over datasets, by {TITLES[matrix.headline]}; {protocol}"
        )
        parts += [heading, ""]
        parts += [*markdown_table(columns, rows), ""] if rows else []
        parts += [*(f"- {escaped(note)}" for note in notes), ""]
    return "\n".join(parts)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; what its cells say is escaped."""
    return [
        "| " + " | ".join(map(escaped, columns)) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(map(escaped, row)) + " |" for row in rows),
    ]


def escaped(text: str) -> str:
    """Plugins name themselves: keep what they say from becoming markup."""
    for character in "\\`*_[]<>|#~&":
        text = text.replace(character, "\\" + character)
    # No line ends, no control characters, none that are invisible or turn the direction of writing.
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
