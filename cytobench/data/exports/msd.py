"""MSD Discovery Workbench: one line for each spot, plates below each other."""

from __future__ import annotations

from collections.abc import Iterator

from cytobench.core.errors import DataError
from cytobench.data.exports.options import Options
from cytobench.data.exports.sheets import Sheet
from cytobench.data.exports.wells import NOT_MEASURED, Kind, Well, kind_of_word

RESULT, AVERAGE = "Calc. Concentration", "Calc. Conc. Mean"
LOW, HIGH = "Detection Limits: Calc. Low", "Detection Limits: Calc. High"
YES = ("yes", "true", "1", "x")


def read_msd(sheets: list[Sheet], options: Options) -> Iterator[Well]:
    """Wells of a Discovery Workbench export.

    The layout: perhaps a line with the plate's name, then a header with ``Sample``, ``Assay`` and
    ``Calc. Concentration`` in any order, then one line for each well and spot. ``Detection Range``
    says whether a value is below or above the limits; outside the fit there is ``NaN``.

    Raises
    ------
    DataError
        ``E331`` where there is no such header.
    """
    found = False
    for sheet in sheets:
        title = ""
        for position, (_, cells) in enumerate(sheet.lines):
            if {"Sample", "Assay"} <= set(cells) and {RESULT, AVERAGE} & set(cells):
                found = True
                yield from _plate(sheet, position, options, title)
            filled = [cell for cell in cells if cell]
            title = filled[0] if len(filled) == 1 else title
    if not found:
        raise DataError(
            "E331",
            f"there is no header with 'Sample', 'Assay' and {RESULT!r}",
            where=sheets[0].file,
            hint="export the plate's data table with these columns from Discovery Workbench",
        )


def _plate(sheet: Sheet, header: int, options: Options, title: str) -> Iterator[Well]:
    averaged: set[tuple[str, ...]] = set()
    column = RESULT if RESULT in sheet.lines[header][1] else AVERAGE
    for position, row in sheet.table(header, titles=True):
        plate = options.plate_of(sheet.file, row.get("Plate Name") or title)
        if column == AVERAGE:
            # The average stands in the line of every replicate: it is one measurement.
            one = (plate, row["Sample"], row["Assay"], row.get("Dilution", ""))
            if one in averaged:
                continue
            averaged.add(one)
        yield Well(
            row["Sample"],
            row["Assay"],
            plate,
            row.get("Well", ""),
            _result(sheet, row, column),
            sheet.file,
            sheet.at(sheet.lines[position][0]),
            column,
            dilution=sheet.number(row.get("Dilution", "")),
            llod=sheet.number(row.get(LOW, "")),
            uloq=sheet.number(row.get(HIGH, "")),
            kind=_kind(row),
        )


def _result(sheet: Sheet, row: dict[str, str], column: str) -> str:
    """The cell as other exports write it: ``OOR <`` below the limit, whatever it is."""
    if row.get("Excluded", "").casefold() in YES:
        return "---"
    detection = row.get("Detection Range", "").casefold()
    if "below" in detection:
        return "OOR <"
    if "above" in detection:
        return "OOR >"
    return sheet.number(row[column])


def _kind(row: dict[str, str]) -> Kind:
    """By the sample's group; else what has a known concentration is a standard."""
    kind = kind_of_word(row.get("Sample Group", ""))
    if kind:
        return kind
    return "" if row.get("Concentration", "") in NOT_MEASURED else "standard"
