"""The JSON Schema of a board's file, one for each version of the format."""

from __future__ import annotations

from pathlib import Path

from cytobench.leaderboard.render import SCHEMA_VERSION

FOLDER = Path(__file__).parent / "schemas"


def schema_text(version: int = SCHEMA_VERSION) -> str:
    """The schema of this version of the format, as JSON."""
    return (FOLDER / f"board-{version}.schema.json").read_text(encoding="utf-8")
