"""What a cell of an exported table says: a number, a limit, a unit, nothing, or nonsense."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "#N/A", ".", "-")
"""Cells that say nothing."""

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
UNIT = r"[A-Za-zµμ%][A-Za-zµμ%/·^ -]*"
VALUE = re.compile(rf"\*?\s*([<>≤≥]?)\s*=?\s*({NUMBER})\s*({UNIT})?\Z")
BELOW = re.compile(r"(?i)(?:oor\s*<|<\s*(?:llod|lod|lloq|loq|min)|n\.?\s?d\.?|blq|bql|bld)\Z")
ABOVE = re.compile(r"(?i)(?:oor\s*>|>\s*(?:uloq|max)|alq)\Z")


@dataclass(frozen=True)
class Numbers:
    """A column of text, read as numbers.

    Attributes
    ----------
    values : array, shape (n,)
        NaN where missing, not a number, or beyond a limit that the cell does not state.
    below, above : boolean arrays, shape (n,)
        Cells such as ``<0.5``, ``OOR <``, ``ND``; ``>2000``, ``OOR >``.
    wrong : sequence of int
        Rows whose cell is neither a number nor known as missing.
    units : mapping
        Unit written in a cell -> first row that has it.
    """

    values: NDArray[np.float64]
    below: NDArray[np.bool_]
    above: NDArray[np.bool_]
    wrong: Sequence[int]
    units: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One cell's meaning."""

    value: float = math.nan
    below: bool = False
    above: bool = False
    wrong: bool = False
    unit: str = ""


def read_cell(text: str, *, decimal: str = ".", missing: Sequence[str] = ()) -> Cell:
    """Understand one cell as Luminex, MSD and ELISA exports write them.

    ``<0.5`` and ``OOR <`` are below a limit, ``>2000`` and ``OOR >`` above one, ``*3.1`` was
    extrapolated beyond the standard curve and keeps its value, ``ND`` was not detected.

    Examples
    --------
    >>> read_cell("<0.5").value, read_cell("<0.5").below
    (0.5, True)
    >>> read_cell("3.1 pg/mL").unit
    'pg/mL'
    """
    text = text.strip()
    if text in MISSING or text in missing:
        return Cell()
    if BELOW.match(text):
        return Cell(below=True)
    if ABOVE.match(text):
        return Cell(above=True)
    if decimal != ".":
        text = text.replace(".", " ").replace(decimal, ".")  # "1.234,5" is then no number
    match = VALUE.match(text)
    if match is None:
        return Cell(wrong=True)
    sign, number, unit = match.groups()
    value = float(number)
    if not math.isfinite(value):
        return Cell(wrong=True)
    return Cell(value, sign in ("<", "≤"), sign in (">", "≥"), unit=(unit or "").strip())


def read_numbers(
    texts: Sequence[str], *, decimal: str = ".", missing: Sequence[str] = ()
) -> Numbers:
    """Read a column; each distinct text is understood once."""
    known: dict[str, Cell] = {}
    cells = []
    for text in texts:
        if text not in known:
            known[text] = read_cell(text, decimal=decimal, missing=missing)
        cells.append(known[text])
    units: dict[str, int] = {}
    if any(cell.unit for cell in known.values()):
        for row, cell in enumerate(cells):
            if cell.unit:
                units.setdefault(cell.unit, row)
    return Numbers(
        values=np.array([cell.value for cell in cells], dtype=np.float64),
        below=np.array([cell.below for cell in cells], dtype=bool),
        above=np.array([cell.above for cell in cells], dtype=bool),
        wrong=[row for row, cell in enumerate(cells) if cell.wrong],
        units=units,
    )
