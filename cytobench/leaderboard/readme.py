"""The page of a suite's folder, as a code host shows it: its entries, and how to read them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cytobench.leaderboard.across import across, ranking_of
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.outline import Outline, outlines
from cytobench.leaderboard.render import SCHEMA_VERSION, escaped, markdown_table
from cytobench.leaderboard.tables import TITLES, number
from cytobench.report.text import printable

OVER = "over-datasets.md"
SCHEMA = f"board-{SCHEMA_VERSION}.schema.json"
READING = (
    "The interval belongs to the number. Rows marked *tied* cannot be told apart from the best; "
    "their order means nothing.",
    "*floor* rows are what a guess, a CRP cut-off or clinical data alone achieve. A model that is "
    "not above them has shown nothing about cytokines.",
    "*ceiling* is what knowing the truth achieves, on simulated patients only; the share of the "
    "distance is how much of the way from the clinical floor to it a model goes.",
    "Rows share cohort, outcome, splits and tuning budget by hash. Rows of other hashes are left "
    "out and counted under the table.",
    "Leaderboards compare methods. This is not a medical device, and no row is a reason to treat a "
    "patient one way or another.",
)
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:\\|~?/)(?:[^\s/\\'\"]+[/\\])+")
"""The folders in front of a file's name."""


def commands(boards: Sequence[AnyBoard | Outline]) -> list[str]:
    """The commands that made these boards, each once, without the folders of the machine."""
    found = [
        printable(without_folders(row.command))  # on one line, it cannot end the block of code
        for board in outlines(boards)
        for row in board.rows
        if row.command
    ]
    return list(dict.fromkeys(found))


def without_folders(text: str) -> str:
    """``/home/somebody/table.csv`` as ``…/table.csv``: what is published names no machine."""
    return _FOLDERS.sub("…/", text)


def tied_with(board: AnyBoard | Outline) -> int:
    """How many rows cannot be told apart from the first."""
    return sum(row.tied_with_best is True for row in board.rows[1:])


def over_datasets(boards: Sequence[AnyBoard | Outline]) -> str:
    """In one sentence, what can be said of the models over data sets."""
    matrices = across(boards)
    if not matrices:
        return "no two entries share a metric and a protocol: there is nothing to rank."
    said = [ranking_of(matrix) for matrix in matrices]
    known = [ranking.said for ranking in said if ranking is not None]
    return " ".join(known) or "fewer than two real cohorts: models are not ranked over data sets."


def readme(suite: str, boards: Sequence[AnyBoard | Outline]) -> str:
    """``README.md`` of a suite's folder.

    Parameters
    ----------
    boards : sequence of AnyBoard or Outline
        All of this suite.
    """
    parts = [f"# Suite {escaped(suite)}", ""]
    found = outlines(boards)
    rows = [_entry(board) for board in found]
    columns = ["entry", "patients", "protocol", "best", "value (95 % interval)", "tied with it"]
    # A link is markup of our own: it is put in after the words of others were escaped.
    table = markdown_table(columns, rows)
    for position, board in enumerate(found, start=2):
        name = escaped(board.title)
        table[position] = table[position].replace(name, f"[{name}]({board.name}.md)", 1)
    parts += [*table, "", "## How to read", "", *(f"- {line}" for line in READING), ""]
    parts += ["## Over data sets", ""]
    link = f"[All models over data sets]({OVER}): " if across(found) else ""
    said = over_datasets(found)
    parts += [link + escaped(said[:1].upper() + said[1:]), "", "## Repeat it", "", "```console"]
    parts += [f"$ {command}" for command in commands(found)]
    parts += [f"$ cytobench leaderboard build {suite}", "```", "", "## Data", ""]
    parts += [
        f"- [{board.name}.json]({board.name}.json): cohort `{board.fingerprint[:12]}`, "
        f"splits `{board.plan[:12]}`"
        for board in found
    ]
    parts += [f"- [{SCHEMA}]({SCHEMA}): JSON Schema of these files"]
    return "\n".join(parts) + "\n"


def _entry(board: Outline) -> list[str]:
    best = board.rows[0]
    found = number(best.headline)
    tied = str(tied_with(board)) if best.tied_with_best is not None else "not tested"
    return [
        board.title,
        str(best.n),
        board.protocol.replace("_", " "),
        best.label,
        f"{TITLES[board.headline]} {found}",
        tied,
    ]
