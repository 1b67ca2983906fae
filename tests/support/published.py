"""Boards as they are written to disk."""

from __future__ import annotations

from pathlib import Path


def board_files(folder: Path) -> list[Path]:
    """Every board's JSON below a folder, without the schema that stands beside them."""
    return sorted(path for path in folder.rglob("*.json") if not path.name.endswith(".schema.json"))
