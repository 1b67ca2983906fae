"""Self-contained HTML pages: one for each cell, one for each suite entry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import (
    TITLES,
    added_value,
    adequacy_note,
    adequacy_table,
    headers,
    more_tables,
    number,
    p_value,
    per_site,
    selection_table,
    table_rows,
    worst_table,
)
from cytobench.leaderboard.words import WORST_NOTE, footnotes, summary, title
from cytobench.report.illustrations import Illustration, of_board, of_cell
from cytobench.report.tripod import checklist

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)


def write_reports(board: Board, root: Path, second: Mapping[str, Estimate]) -> list[Path]:
    """Write an entry's page, its models' pages, and the figures as SVG and PNG.

    Parameters
    ----------
    second : mapping
        Cell key -> AUC by the refit bootstrap, where those cells were run.

    Returns
    -------
    list of Path
        ``<suite>/<entry>/index.html``, then one page for each model.
    """
    folder = root / board.entry.suite / board.entry.name
    names = _names(board)
    pages = {label: f"{name}.html" for label, name in names.items()}
    drawn = list(of_board(board))
    written = [_write(folder / "index.html", entry_page(board, pages, drawn).encode())]
    _figures(folder / "figures", drawn)
    for row in board.rows:
        drawn = list(of_cell(row, board))
        opinion = second.get(row.cell.key) if row.cell else None
        text = cell_page(row, board, drawn, opinion)
        written.append(_write(folder / pages[row.label], text.encode()))
        _figures(folder / "figures" / names[row.label], drawn)
    return written


def _names(board: Board) -> dict[str, str]:
    """Row label -> file name, each once whatever the file system makes of capitals."""
    names: dict[str, str] = {}
    for row in board.rows:
        name = slug(row.label)
        taken = {other.casefold() for other in names.values()} | {"index"}
        if name.casefold() in taken:
            name = f"{name}-{row.cell.key[:8] if row.cell else len(names)}"
        names[row.label] = name
    return names


def slug(label: str) -> str:
    """A file name for a row: letters, digits, dashes; a plugin's name cannot leave the folder."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", label).strip("-") or "model"


def _figures(folder: Path, drawn: Sequence[Illustration]) -> None:
    for illustration in drawn:
        for name, content in illustration.files().items():
            _write(folder / name, content)


def _write(path: Path, content: bytes) -> Path:
    try:
        write_whole(path, content, mode=0o644)
    except OSError as error:
        raise StoreError("E702", f"cannot be written: {error.strerror}", where=str(path)) from error
    return path


def entry_page(board: Board, pages: Mapping[str, str], drawn: Sequence[Illustration]) -> str:
    """The page of a suite entry."""
    rows = [{"cells": cells, "address": pages.get(cells[0], "")} for cells in table_rows(board)]
    return _render(
        "entry.html",
        title=title(board),
        summary=summary(board),
        caption=f"{board.entry.suite}, best first; the order among tied rows means nothing",
        columns=headers(board),
        rows=rows,
        footnotes=footnotes(board),
        figures=drawn,
        tables=_entry_tables(board),
        audit=board.entry.about.get("audit"),
        dataset_card=dataset_card(board.entry.about),
    )


def _entry_tables(board: Board) -> list[Table]:
    found = []
    sites = per_site(board)
    if sites:
        found.append(Table("Sites", f"{TITLES[board.headline]} at each site", *sites))
    added = added_value(board)
    if added:
        heading = f"Gained over {board.reference}"
        found.append(Table(heading, "Paired differences, above 0 is better", *added))
    found += [
        Table(name, f"{name}, with 95 % intervals", *table)
        for name, table in more_tables(board).items()
    ]
    size = adequacy_table(board)
    if size:
        note = adequacy_note(board)
        found.append(Table("Sample size", "Riley's criteria", *size, (note,)))
    worst = worst_table(board)
    if worst:
        found.append(Table("Worst subgroup", "Lowest AUC", *worst, (WORST_NOTE,)))
    selection = selection_table(board)
    if selection:
        found.append(Table("The search, corrected for its own choice", "BBC-CV", *selection))
    return found


def cell_page(
    row: Row, board: Board, drawn: Sequence[Illustration], second: Estimate | None = None
) -> str:
    """The page of one model on one entry."""
    assert row.cell is not None
    about = row.cell.about
    headline = row.estimate(board.headline)
    result = f"{TITLES[board.headline]} {number(headline)}, n = {row.n}; {headline.method}."
    items = checklist(about, result)
    return _render(
        "cell.html",
        title=f"{row.label}: {title(board)}",
        lead=" ".join(summary(board)[-3:]),
        simulated=about["dataset"]["kind"] == "simulated",
        keys=_keys(row, board),
        figures=drawn,
        numbers=_numbers(row, second),
        tables=_cell_tables(row, board),
        audit=about.get("audit"),
        model_card=model_card(row),
        dataset_card=dataset_card(about),
        tripod=items,
        filled=sum(item.by_run for item in items),
        provenance=_provenance(row),
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
    interval = "" if estimate.low is None else f"{estimate.low:{form}} to {estimate.high:{form}}; "
    return {"name": name, "value": f"{estimate.value:{form}}", "note": interval + note}


def _numbers(row: Row, second: Estimate | None) -> list[list[str]]:
    found = [
        _line(TITLES.get(name, name), estimate, row.n)
        for name, estimate in row.assessment.estimates.items()
    ]
    if row.assessment.kind == "classification":
        prevalence = row.assessment.prevalence
        found.insert(
            2, ["prevalence", f"{prevalence:.3f}", "", str(row.n), "", "share of patients"]
        )
    if row.selection is not None:
        found.insert(1, _line("AUC, second opinion", row.selection.corrected, row.n))
    if second is not None:
        found.insert(1, _line("AUC, second opinion", second, row.n))
    if row.added is not None:
        found += [
            _line(f"{TITLES[name]} gained over {row.added.reference}", estimate, row.n, signed=True)
            for name, estimate in row.added.differences.items()
        ]
    return found


def _line(name: str, estimate: Estimate, n: int, *, signed: bool = False) -> list[str]:
    form = "+.3f" if signed else ".3f"
    value = "undefined" if estimate.value != estimate.value else f"{estimate.value:{form}}"
    interval = "" if estimate.low is None else f"{estimate.low:{form}} to {estimate.high:{form}}"
    error = "" if estimate.mc_se is None else f"{estimate.mc_se:.4f}"
    return [name, value, interval, str(n), error, estimate.method]


def _cell_tables(row: Row, board: Board) -> list[Table]:
    found = []
    if row.sites:
        rows = [[site, number(item), str(n)] for site, (item, n) in row.sites.items()]
        columns = ["site", TITLES[board.headline], "n"]
        found.append(Table("Sites", "Each site as the test part", columns, rows))
    levels, tests = row.assessment.subgroups
    if levels:
        metric = "MAE" if board.kind == "regression" else "AUC"
        second = "mean residual" if board.kind == "regression" else "calibration in the large"
        rows = [
            [
                f"{item.variable}: {item.level}",
                "too few" if item.suppressed else str(item.n),
                "" if item.events is None else str(item.events),
                "" if item.discrimination is None else number(item.discrimination),
                "" if item.calibration is None else number(item.calibration),
            ]
            for item in levels
        ]
        note = (
            "Cells with fewer than ten patients of either outcome are suppressed. Differences "
            "between subgroups of this size are mostly noise: read the tests of interaction."
        )
        columns = ["subgroup", "n", "with the outcome", metric, second]
        found.append(Table("Subgroups", "With 95 % intervals", columns, rows, (note,)))
        rows = [
            [
                test.variable,
                str(test.levels),
                p_value(test.discrimination_p),
                p_value(test.calibration_p),
            ]
            for test in tests
        ]
        columns = ["variable", "levels shown", f"p, {metric} differs", f"p, {second} differs"]
        found.append(
            Table(
                "Tests of interaction", "Cochran's Q, not adjusted for their number", columns, rows
            )
        )
    return found


def model_card(row: Row) -> list[tuple[str, str]]:
    """What is known of the model."""
    assert row.cell is not None
    model = row.cell.about["model"]
    rows = [
        ("name", model["name"]),
        ("summary", model["summary"]),
        ("role", model["role"]),
        ("version", model["version"]),
        ("sees", " and ".join(model["inputs"])),
        ("licence", model["licence"]),
        ("citation", model["citation"]),
        ("settings", _settings(row.cell.about["config"]["model"])),
        ("intended use", "comparison of methods; no decision about a patient"),
        ("scored", "the procedure, not one fitted model"),
    ]
    return [(name, str(text)) for name, text in rows if text]


def _settings(config: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in config.items() if key != "name")


def dataset_card(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of the cohort."""
    card = about["dataset"]
    names = ("name", "summary", "kind", "population", "treatment", "version", "licence", "citation",
             "caveat", "patients", "analytes")  # fmt: skip
    rows = [(name, str(card.get(name, ""))) for name in names]
    rows += [("outcome", about["task"]["meaning"]), ("with known outcome", str(about["n"]))]
    rows += [("note", str(note)) for note in about["notes"]]
    rows.append(("fingerprint", card["fingerprint"]))
    return [(name, text) for name, text in rows if text]


def _provenance(row: Row) -> list[tuple[str, str]]:
    assert row.cell is not None
    about = row.cell.about
    return [
        ("cell", row.cell.key),
        ("split plan", about["plan"]),
        ("plugin source", about["model"]["source"]),
        ("versions", ", ".join(f"{name} {text}" for name, text in about["versions"].items())),
        ("seed", str(about["config"]["seed"])),
        ("git commit", about["git_commit"] or "not in a repository"),
        ("repeat with", about["command"]),
    ]


def _render(template: str, **context: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    from markupsafe import Markup

    # Our own file, the only markup that is not escaped.
    page = environment.get_template(template).render(style=Markup(style), **context)  # noqa: S704
    return str(page)
