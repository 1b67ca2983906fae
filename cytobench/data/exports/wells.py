"""One measured well of one analyte, and what kind of sample is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cytobench.core.errors import DataError
from cytobench.data.cells import KNOWN_UNIT, MISSING, plain
from cytobench.data.patterns import Pattern

Kind = Literal["", "sample", "standard", "blank", "control"]
KINDS = ("sample", "standard", "blank", "control")
NUMBERED = r"[\s._:#-]*\d*\Z"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "standard": re.compile(r"(?i)(?:std|standards?|cal|calibrators?)" + NUMBERED),
    "blank": re.compile(r"(?i)(?:blanks?|backgrounds?|bkgd?|buffer|nsb|zero)" + NUMBERED),
    "control": re.compile(
        r"(?i)(?:(?:quality|pos(?:itive)?|neg(?:ative)?|kit|high|low)[\s._-]*)?"
        r"(?:qc|ctrl|controls?)" + NUMBERED
    ),
}
"""Names that are used for what is no sample, unless the instrument says what it is."""

NOT_MEASURED = (*MISSING, "***", "---", "Invalid", "No Data", "None")
"""Cells without a result: not available, an outlier, invalidated by the operator."""


@dataclass(frozen=True, slots=True)
class Well:
    """One analyte in one well, every cell still as text with a decimal point.

    Attributes
    ----------
    sample, analyte, plate, well : str
        ``well`` is empty where the export does not say it, ``"A1,B1"`` for an average.
    text : str
        The result's cell; empty where there is none.
    file, line, column : str
        Where that cell stands; ``line`` may name a sheet (``"12 of sheet 'IL-6'"``).
    unit, dilution, llod, uloq, expected : str
        As the export states them, or empty. ``expected`` is a standard's nominal concentration.
    kind : {"", "sample", "standard", "blank", "control"}
        Empty where the export does not say it: then the sample's name decides.
    """

    sample: str
    analyte: str
    plate: str
    well: str
    text: str
    file: str
    line: str
    column: str
    unit: str = ""
    dilution: str = ""
    llod: str = ""
    uloq: str = ""
    expected: str = ""
    kind: Kind = ""

    @property
    def measured(self) -> bool:
        """Whether there is a result."""
        return self.text not in NOT_MEASURED

    def place(self, column: str = "") -> str:
        """``file, line 17, well A3, column 'IL-6'``."""
        well = f", well {self.well}" if self.well else ""
        return f"{self.file}, line {self.line}{well}, column {column or self.column!r}"

    def number(self, what: str) -> float | None:
        """``dilution``, ``llod``, ``uloq`` or ``expected`` as a number, None where not stated.

        Raises
        ------
        DataError
            ``E333``.
        """
        text = getattr(self, what)
        if text in NOT_MEASURED:
            return None
        value = plain(text)
        if value != value or (what == "dilution" and value <= 0):
            raise DataError(
                "E333",
                f"the {WORDS[what]} is {text!r}, expected a number",
                where=self.place(),
                hint="write a dilution of 1 in 10 as 10; a decimal comma needs `decimal: ','`",
            )
        return value


WORDS = {
    "dilution": "dilution factor",
    "llod": "lower limit",
    "uloq": "upper limit",
    "expected": "expected concentration",
}


GROUPS: Mapping[str, Kind] = {
    "standard": "standard",
    "calibrator": "standard",
    "blank": "blank",
    "background": "blank",
    "control": "control",
    "qc": "control",
    "unknown": "sample",
    "sample": "sample",
}


def kind_of_word(text: str) -> Kind:
    """What a column of types or groups says: ``"Standards"`` is ``"standard"``."""
    return next((kind for word, kind in GROUPS.items() if word in text.casefold()), "")


HEADED = re.compile(r"(.*\S)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]\Z")


def split_unit(header: str) -> tuple[str, str]:
    """Name and unit of a column.

    Examples
    --------
    >>> split_unit("IL-6 (pg/mL)"), split_unit("IL-12 (p70)")
    (('IL-6', 'pg/mL'), ('IL-12 (p70)', ''))
    """
    match = HEADED.match(header)
    return (match[1], match[2]) if match and KNOWN_UNIT.match(match[2]) else (header, "")


def kind_of(well: Well, own: Mapping[str, Pattern]) -> str:
    """What is in a well: by the user's patterns, by the instrument's word, by common names."""
    for kind, pattern in own.items():
        if pattern.fullmatch(well.sample):
            return kind
    if well.kind:
        return well.kind
    for kind, usual in PATTERNS.items():
        if kind not in own and usual.match(well.sample):
            return kind
    return "sample"
