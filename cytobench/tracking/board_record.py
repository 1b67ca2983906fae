"""What MLflow is told of a suite's leaderboard: a run of its own, with the boards as files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from cytobench.core.hashing import digest
from cytobench.leaderboard.kept import Pages
from cytobench.leaderboard.readme import readme
from cytobench.leaderboard.tables import TITLES
from cytobench.tracking.record import DIGITS, Measured, Record

BOARD = "cytobench.board"
"""Tag: the sha256 of what the run's files say."""
RUN_NAME = "leaderboard"
TABLE = "leaderboard.json"
LONGEST_NOTE = 5000
"""Characters; MLflow takes 8,000 in a tag, and bytes are more."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\.md\)")
"""To a file beside the README: from a run's description it leads nowhere."""
COLUMNS = ("entry", "model", "value", "lower", "upper", "with the best", "role", "metric", "n",
           "s per fold")  # fmt: skip
"""From the left: a window of usual width shows the first five or six."""


def board_files(suite: str, pages: Sequence[Pages]) -> dict[str, str]:
    """File name -> text: every row in one table, the suite's README, a page for each entry."""
    rows = [row for page in pages for row in _rows(page)]
    table = {"columns": list(COLUMNS), "data": rows}
    return {
        TABLE: json.dumps(table, ensure_ascii=False, allow_nan=False),
        "README.md": readme(suite, [page.outline for page in pages]),
        **{f"{page.outline.name}.md": page.markdown for page in pages},
    }


def _rows(page: Pages) -> list[list[Any]]:
    """The rows of an entry, best first, numbers as numbers."""
    board = json.loads(page.json)
    found = []
    for row in [*([board["ceiling"]] if board["ceiling"] else []), *board["rows"]]:
        estimate = row["estimates"].get(board["headline"]) or {}
        tied = {True: "tied", False: "worse", None: ""}[row["tied_with_best"]]
        found.append(
            [
                page.outline.name,
                row["label"],
                *(_rounded(estimate.get(name)) for name in ("value", "low", "high")),
                tied,
                row["role"],
                TITLES[board["headline"]],
                row["n"],
                _rounded(row["seconds_per_fold"]),
            ]
        )
    return found


def _rounded(value: float | None) -> float | None:
    """The table shows every digit."""
    return None if value is None else round(value, DIGITS)


def board_record(suite: str, pages: Sequence[Pages], files: dict[str, str]) -> Record:
    """The run of a suite's leaderboard; its metrics are the best value of each entry."""
    best = [(page.outline, page.outline.rows[0]) for page in pages if page.outline.rows]
    note = _LINK.sub(r"\1", files["README.md"].partition("## How to read")[0])
    if len(note) > LONGEST_NOTE:
        note = f"# Suite {suite}\n\n{len(pages)} entries: see README.md among the artifacts."
    return Record(
        name=RUN_NAME,
        complete=True,
        metrics=[
            Measured(f"best/{outline.name}", round(row.headline.value, DIGITS))
            for outline, row in best
            if row.headline.value == row.headline.value
        ],
        params={f"best/{outline.name}": row.label for outline, row in best},
        tags={
            BOARD: digest(files),
            "suite": suite,
            "role": RUN_NAME,
            "mlflow.note.content": note,
            # What makes MLflow show the file as a table.
            "mlflow.loggedArtifacts": json.dumps([{"path": TABLE, "type": "table"}]),
            "mlflow.source.name": f"cytobench leaderboard build {suite}",
            "mlflow.source.type": "LOCAL",
        },
        dataset={},
        seconds=0.0,
    )
