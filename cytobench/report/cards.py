"""Cards of a page: what is known of the model, of the cohort, and of where the result is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cytobench.leaderboard.benefit import BenefitRow
from cytobench.leaderboard.rank import Row
from cytobench.run.store import StoredCell

Card = list[tuple[str, str]]


def model_card(row: Row | BenefitRow) -> Card:
    """What is known of the model."""
    assert row.cell is not None
    model, config = row.cell.about["model"], row.cell.about["config"]["model"]
    rows = [
        ("name", model["name"]),
        ("summary", model["summary"]),
        ("role", model["role"]),
        ("version", model["version"]),
        ("sees", " and ".join(model["inputs"])),
        ("licence", model["licence"]),
        ("citation", model["citation"]),
        ("settings", settings(config)),
        ("searched", searched(config.get("space") or {})),
        ("intended use", "comparison of methods; no decision about a patient"),
        ("scored", "the procedure, not one fitted model"),
    ]
    return [(name, str(text)) for name, text in rows if text]


def settings(config: Mapping[str, Any]) -> str:
    """A plugin's parameters in words."""
    return ", ".join(
        f"{key} = {value}" for key, value in config.items() if key not in ("name", "space")
    )


def searched(space: Mapping[str, Mapping[str, Any]]) -> str:
    """The ranges of a search in words."""
    return "; ".join(f"{name}: {_range(dimension)}" for name, dimension in space.items())


def _range(dimension: Mapping[str, Any]) -> str:
    if "options" in dimension:
        return " or ".join(str(option) for option in dimension["options"])
    if "low" not in dimension or "high" not in dimension:
        return str(dimension["type"])  # a record without its ends is shown for what it says
    scale = ", logarithmic" if dimension.get("log") else ""
    return f"{dimension['low']:g} to {dimension['high']:g}{scale}"


def dataset_card(about: Mapping[str, Any]) -> Card:
    """What is known of the cohort."""
    card = about["dataset"]
    names = ("name", "summary", "kind", "population", "treatment", "version", "licence", "citation",
             "caveat", "patients", "analytes")  # fmt: skip
    rows = [(name, str(card.get(name, ""))) for name in names]
    rows += [("outcome", about["task"]["meaning"]), ("with known outcome", str(about["n"]))]
    rows += [("note", str(note)) for note in about["notes"]]
    rows.append(("fingerprint", card["fingerprint"]))
    return [(name, text) for name, text in rows if text]


def provenance(row: Row | BenefitRow) -> Card:
    """What a person needs to repeat the result, and to see that it is the same one.

    A bundle says neither the command nor the commit of whoever submitted it.
    """
    assert row.cell is not None
    about = row.cell.about
    card = [
        ("cell", row.cell.key),
        ("split plan", about["plan"]),
        ("plugin source", about["model"]["source"]),
        ("versions", ", ".join(f"{name} {text}" for name, text in about["versions"].items())),
        *(("computed on", text) for text in _machines(row.cell)),
        ("seed", str(about["config"]["seed"])),
    ]
    if "git_commit" in about:
        card.append(("git commit", about["git_commit"] or "not in a repository"))
    if "command" in about:
        card.append(("repeat with", about["command"]))
    return card


def _machines(cell: StoredCell) -> list[str]:
    """The environments of a cell's folds, each once; none where an older release computed them."""
    found = dict.fromkeys(
        ", ".join(f"{name} {text}" for name, text in fold.environment.items())
        for fold in [*cell.folds, *cell.beside]
    )
    return [text for text in found if text]
