"""What the YAML says of an export, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytobench.core.errors import DataError
from cytobench.data.exports.wells import KINDS
from cytobench.data.grammar import check_keys, listed, number, one_of
from cytobench.data.patterns import Pattern

FORMATS = ("xponent", "bioplex", "msd", "long", "wells")
EXPORT_KEYS = (
    "format",
    "types",
    "dilution",
    "limit_dilution",
    "replicate_cv",
    "replicate_cv_action",
    "bridge",
    "plate",
    "columns",
    "limits",
    "recovery",
)
OF_FORMAT = {"columns": ("long", "wells"), "limits": ("bioplex",), "recovery": ("bioplex",)}
SCALING = ("multiply", "already")
RECOVERY = (70.0, 130.0)
"""Percent; the usual bounds of a valid standard (LabKey Server, "Luminex: Import of Flagged
Values", https://www.labkey.org/Documentation/wiki-page.view?name=luminexImportFlags)."""


@dataclass(frozen=True)
class Options:
    """How an export is read.

    Attributes
    ----------
    dilution, limit_dilution : {None, "multiply", "already"}
        Whether results, and limits, still have to be multiplied by the dilution factor.
    keep : tuple of str
        Kinds of wells that become rows.
    patterns : mapping
        Kind -> the user's pattern for names of samples.
    replicate_cv : float
        Coefficient of variation above which replicates are said to disagree.
    bridge : {None, "first", "mean"}
        What a sample on several plates becomes.
    """

    format: str
    columns: Mapping[str, Any]
    dilution: str | None = None
    limit_dilution: str | None = None
    keep: tuple[str, ...] = ("sample",)
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    replicate_cv: float = 0.2
    replicate_cv_action: str = "note"
    bridge: str | None = None
    plate: str | None = None
    from_standards: bool = False
    recovery: tuple[float, float] = RECOVERY

    def plate_of(self, file: str, stated: str = "") -> str:
        """The plate's name: given in the YAML, stated in the export, else the file's name."""
        return self.plate or stated or Path(file).stem


def read_options(node: Mapping[str, Any], where: str) -> Options:
    """Options of a source node with a ``format``.

    Raises
    ------
    DataError
        ``E322`` for what cannot be meant.
    """
    layout = one_of(node["format"], FORMATS, f"{where}.format")
    for key, formats in OF_FORMAT.items():
        if key in node and layout not in formats:
            raise DataError(
                "E322", f"`{key}:` is for {' and '.join(formats)} only", where=f"{where}.{key}"
            )
    columns = node.get("columns") or {}
    if not isinstance(columns, Mapping):
        raise DataError("E322", "expected `role: column` pairs", where=f"{where}.columns")
    keep, patterns = _types(node.get("types"), f"{where}.types")
    cv = number(node.get("replicate_cv", 0.2), f"{where}.replicate_cv")
    if cv <= 0:
        raise DataError("E322", "expected a number above 0", where=f"{where}.replicate_cv")
    choices: dict[str, str | None] = {
        key: one_of(node[key], options, f"{where}.{key}") if node.get(key) is not None else None
        for key, options in (
            ("dilution", SCALING),
            ("limit_dilution", SCALING),
            ("bridge", ("first", "mean")),
            ("limits", ("standards",)),
        )
    }
    action = node.get("replicate_cv_action", "note")
    return Options(
        layout,
        columns,
        choices["dilution"],
        choices["limit_dilution"],
        keep,
        patterns,
        cv,
        one_of(action, ("note", "drop", "error"), f"{where}.replicate_cv_action"),
        choices["bridge"],
        None if node.get("plate") is None else str(node["plate"]),
        choices["limits"] is not None,
        _recovery(node.get("recovery", RECOVERY), f"{where}.recovery"),
    )


def _types(spec: Any, where: str) -> tuple[tuple[str, ...], dict[str, Pattern]]:
    """Kinds to keep, and patterns: ``[sample, control]`` or ``{keep: [...], control: REGEX}``."""
    if not isinstance(spec, Mapping):
        spec = {} if spec is None else {"keep": spec}
    check_keys(spec, ("keep", *KINDS), where)
    keep = tuple(one_of(kind, KINDS, where) for kind in listed(spec.get("keep", ["sample"])))
    patterns = {}
    for kind in KINDS:
        if kind in spec:
            patterns[kind] = Pattern(str(spec[kind]), f"{where}.{kind}")
    return keep, patterns


def _recovery(spec: Any, where: str) -> tuple[float, float]:
    bounds = [number(bound, where) for bound in listed(spec)]
    if len(bounds) != 2 or not 0 < bounds[0] < bounds[1]:
        raise DataError("E322", "expected two percentages, the lower one first", where=where)
    return bounds[0], bounds[1]
