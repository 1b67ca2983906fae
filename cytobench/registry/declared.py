"""Names that YAML files in ``conf/`` declare, read without Hydra: for listings only."""

from __future__ import annotations

from pathlib import Path

from cytobench import plugins as plugin_root


def conf_folders() -> list[Path]:
    """``./conf`` and the bundled one, in the order of precedence."""
    found: list[Path] = []
    for folder in (Path.cwd() / "conf", plugin_root.bundled("conf")):
        if folder.is_dir() and folder.resolve() not in found:
            found.append(folder.resolve())
    return found


def declared(group: str) -> dict[str, dict[str, str]]:
    """Name -> ``summary`` and ``origin`` of the YAML files of a group.

    The summary is the file's ``summary:`` or ``title:`` line, else its first comment.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in conf_folders():
        for path in sorted((folder / group).glob("*.yaml")):
            found.setdefault(path.stem, {"summary": _summary(path), "origin": str(path)})
    return dict(sorted(found.items()))


def _summary(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if lines and lines[0].startswith("# @package"):  # said to Hydra, not to a reader
        del lines[0]
    for line in lines:
        key, _, value = line.partition(":")
        if key in ("summary", "title"):
            return value.strip().strip("'\"")
    first = lines[0] if lines else ""
    return first.lstrip("# ").rstrip(".") if first.startswith("#") else ""
