"""What a cell of an exported table says: a number, a limit, a unit, nothing, or nonsense."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LONGEST_NUMBER = 400
"""Characters of a cell that may be a number: ``1e308`` written out, with a sign and a unit."""
MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "#N/A", ".", "-")
"""Cells that say nothing."""

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
UNIT = r"[A-Za-zµμ%][A-Za-zµμ%/·^ -]*"
VALUE = re.compile(rf"\*?\s*([<>≤≥]?)\s*=?\s*({NUMBER})\s*({UNIT})?\Z")
BELOW = re.compile(r"(?i)(?:oor\s*<|<\s*(?:llod|lod|lloq|loq|min)|n\.?\s?d\.?|blq|bql|bld)\Z")
ABOVE = re.compile(r"(?i)(?:oor\s*>|>\s*(?:uloq|max)|alq)\Z")
COMMA = re.compile(rf"([*<>≤≥=\s]*[+-]?\d*),(\d+(?:[eE][+-]?\d+)?\s*(?:{UNIT})?)\Z")
POINT = re.compile(rf"[*<>≤≥=\s]*[+-]?\d*\.\d+\s*(?:{UNIT})?\Z")
KNOWN_UNIT = re.compile(
    r"(?i)(?:[fpnuµμmk]?(?:g|mol|m|iu|u)(?:\s?/\s?(?:[dcmuµμn]?l|mg|g|kg))?|%|npx|mfi|rfu|au|ratio)\Z"
)


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
    row_units : mapping
        Row -> unit written in its cell.
    """

    values: NDArray[np.float64]
    below: NDArray[np.bool_]
    above: NDArray[np.bool_]
    wrong: Sequence[int]
    units: dict[str, int] = field(default_factory=dict)
    row_units: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One cell's meaning."""

    value: float = math.nan
    below: bool = False
    above: bool = False
    wrong: bool = False
    unit: str = ""


def read_cell(text: str) -> Cell:
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
    if text in MISSING:
        return Cell()
    if BELOW.match(text):
        return Cell(below=True)
    if ABOVE.match(text):
        return Cell(above=True)
    # Looking for a number takes the square of a text's length where there is none.
    match = VALUE.match(text) if len(text) <= LONGEST_NUMBER else None
    if match is None:
        return Cell(wrong=True)
    sign, digits, unit = match.groups()
    value = float(digits)
    if not math.isfinite(value):
        return Cell(wrong=True)
    return Cell(value, sign in ("<", "≤"), sign in (">", "≥"), unit=(unit or "").strip())


def read_numbers(texts: Sequence[str]) -> Numbers:
    """Read a column: plain numbers at once, each other distinct text once."""
    values = np.array([plain(text) for text in texts], dtype=np.float64)
    below, above = (np.zeros(len(values), dtype=bool) for _ in range(2))
    wrong: list[int] = []
    units: dict[str, int] = {}
    row_units: dict[int, str] = {}
    known: dict[str, Cell] = {}
    for row in np.flatnonzero(np.isnan(values)).tolist():
        text = texts[row]
        cell = known.get(text) or known.setdefault(text, read_cell(text))
        values[row], below[row], above[row] = cell.value, cell.below, cell.above
        if cell.wrong:
            wrong.append(row)
        if cell.unit:
            units.setdefault(cell.unit, row)
            row_units[row] = cell.unit
    return Numbers(values, below, above, wrong, units, row_units)


def plain(text: str) -> float:
    """A number and nothing else, to the last bit; NaN for every other text."""
    try:
        value = float(text) if len(text) <= LONGEST_NUMBER else math.nan
    except ValueError:
        return math.nan
    # float() also takes "inf" and "1_000", which no table means as a number.
    return value if math.isfinite(value) and "_" not in text else math.nan


def with_point(text: str) -> str:
    """A cell of a table with decimal commas as one with decimal points.

    ``1.234`` may there be 1234 or 1.234: it is made into what no role takes for a number.

    Examples
    --------
    >>> with_point("<0,5"), with_point("not done")
    ('<0.5', 'not done')
    """
    if len(text) > LONGEST_NUMBER:
        return text
    if COMMA.match(text):
        return COMMA.sub(r"\1.\2", text)
    return f"{text} [a point among decimal commas]" if POINT.match(text) else text


def same_unit(one: str, other: str) -> bool:
    """Whether two spellings mean one unit: ``pg/ml`` and ``pg/mL``, either Greek mu, a ``u``."""
    return _spelling(one) == _spelling(other)


def _spelling(unit: str) -> str:
    return re.sub(r"[µμ]", "u", unit).replace(" ", "").casefold()
