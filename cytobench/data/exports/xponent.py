"""Luminex xPONENT: a header, then ``DataType:`` blocks of samples by analytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cytobench.core.errors import DataError
from cytobench.data.exports.options import Options
from cytobench.data.exports.sheets import Sheet
from cytobench.data.exports.wells import Well

MARK = "DataType:"
RESULTS = ("Result", "Test Result", "Avg Result")
"""Blocks with concentrations, the best one first: an average has lost its wells."""
NOT_ANALYTES = ("Location", "Sample", "Total Events", "Notes")
NO_UNIT = ("None", "Bead", "")
LOCATION = re.compile(r"\d+\((\d+),\s*([A-Za-z]+\d+)\)\Z")


def read_xponent(sheets: list[Sheet], options: Options) -> Iterator[Well]:
    """Wells of an xPONENT export.

    The layout: a header of ``key,value`` lines with ``Batch``; blocks that begin with
    ``DataType:,Result`` and end with an empty line; locations such as ``1(1,A1)`` (sequence, plate,
    well); ``Units`` by analyte; ``Dilution Factor`` by location.

    Raises
    ------
    DataError
        ``E331`` where there is no block of concentrations.
    """
    sheet = sheets[0]
    blocks = {
        cells[1]: position + 1
        for position, (_, cells) in enumerate(sheet.lines)
        if len(cells) > 1 and cells[0] == MARK
    }
    name = next((name for name in RESULTS if name in blocks), None)
    if name is None:
        raise DataError(
            "E331",
            f"there is no block {RESULTS[0]!r} or {RESULTS[-1]!r}; blocks are: "
            f"{', '.join(map(repr, blocks)) or 'none'}",
            where=sheet.file,
            hint="export the concentrations with the batch; fluorescence alone has no unit",
        )
    units = _units(sheet, blocks.get("Units"))
    factors = _factors(sheet, blocks.get("Dilution Factor"))
    batch = next((cells[1] for _, cells in sheet.lines if cells[:1] == ["Batch"]), "")
    rows = list(sheet.table(blocks[name]))
    located = [LOCATION.match(row.get("Location", "")) for _, row in rows]
    several = len({match[1] for match in located if match}) > 1
    for (position, row), match in zip(rows, located, strict=True):
        stated = f"{batch} plate {match[1]}" if match and several else batch
        for analyte, text in row.items():
            if analyte not in NOT_ANALYTES:
                yield Well(
                    row.get("Sample", ""),
                    analyte,
                    options.plate_of(sheet.file, stated),
                    match[2].upper() if match else row.get("Location", ""),
                    sheet.number(text),
                    sheet.file,
                    sheet.at(sheet.lines[position][0]),
                    analyte,
                    unit=units.get(analyte, ""),
                    dilution=factors.get(row.get("Location") or row.get("Sample", ""), ""),
                )


def _units(sheet: Sheet, header: int | None) -> dict[str, str]:
    """Analyte -> unit; the block has one row for each property."""
    if header is None:
        return {}
    for _, row in sheet.table(header):
        label, *names = row
        if row[label] == "Units:":
            return {name: "" if row[name] in NO_UNIT else row[name] for name in names}
    return {}


def _factors(sheet: Sheet, header: int | None) -> dict[str, str]:
    """Location -> dilution factor; sample -> factor where all its wells have one and the same."""
    factors: dict[str, str] = {}
    by_sample: dict[str, set[str]] = {}
    for _, row in [] if header is None else sheet.table(header):
        factor = sheet.number(row.get("Dilution Factor", ""))
        factors[row.get("Location", "")] = factor
        by_sample.setdefault(row.get("Sample", ""), set()).add(factor)
    same = {sample: found.pop() for sample, found in by_sample.items() if len(found) == 1}
    return {**same, **factors}
