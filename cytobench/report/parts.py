"""What the pages of all tasks share: names of files, figures beside them, cautions in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cytobench.leaderboard.benefit import BenefitRow
from cytobench.leaderboard.rank import Row
from cytobench.report.illustrations import Illustration
from cytobench.report.text import slug
from cytobench.report.writing import write_page

INDEX = "index.html"
SUITE = f"../{INDEX}"


def file_names(rows: Sequence[Row] | Sequence[BenefitRow]) -> list[str]:
    """A file name for each row, each once whatever the file system makes of capitals."""
    names: list[str] = []
    for row in rows:
        name = slug(row.label)
        taken = {other.casefold() for other in names} | {"index"}
        if name.casefold() in taken:
            name = f"{name}-{row.cell.key[:8] if row.cell else len(names)}"
        names.append(name)
    return names


def write_figures(folder: Path, drawn: Sequence[Illustration]) -> None:
    """Each figure as SVG and PNG."""
    for illustration in drawn:
        for name, content in illustration.files().items():
            write_page(folder / name, content)


def cautions(about: Mapping[str, Any]) -> dict[str, Any]:
    """What must be seen before any number."""
    card = about["dataset"]
    return {"simulated": card["kind"] == "simulated", "caveat": card["caveat"].rstrip(".")}
