"""Bio-Plex Manager: a sheet for each analyte, or a table of wells by analytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cytobench.core.errors import DataError
from cytobench.data.exports.options import Options
from cytobench.data.exports.sheets import Sheet
from cytobench.data.exports.wells import Kind, Well, split_unit

RESULT = "Obs Conc"
STATISTICS = ("FI", "FI - Bkgd", "Obs Conc", "Exp Conc", "Dilution", "%CV", "Std Dev", "Bead Count")
ABOUT_WELLS = (
    *("Type", "Well", "Outlier", "Description", "Dilution", "Group", "Gate", "Region"),
    *("Sampling Errors", "% Agg Beads", "Ratio"),
)
TYPE = re.compile(r"(ES|EC|X|S|C|B)\d*\Z")
KIND: dict[str, Kind] = {
    **{"X": "sample", "S": "standard", "ES": "standard"},
    **{"C": "control", "EC": "control", "B": "blank"},
}
REGION = re.compile(r"\s*\(\d+\)\Z")


@dataclass(frozen=True)
class _Table:
    """A table of wells; ``statistic`` is empty where the sheet does not name it."""

    sheet: Sheet
    header: int
    statistic: str
    analyte: str

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        for position, row in self.sheet.table(self.header, titles=True):
            yield self.sheet.at(self.sheet.lines[position][0]), row


def read_bioplex(sheets: list[Sheet], options: Options) -> list[Well]:
    """Wells of a Bio-Plex Manager export.

    The layouts: a sheet (or block) for each analyte, with ``Analyte: IL-6`` above a header of
    ``Type``, ``Well``, ``Description``, ``Obs Conc`` ...; or a sheet ``Obs Conc`` of wells by
    analytes, whose names stand in the header or in the line above it, with the bead's region
    (``Hu IL-6 (19)``). Averages (``A1,B1``) are left out where their wells are there too.

    Raises
    ------
    DataError
        ``E331`` where no table of concentrations is found.
    """
    tables = [table for sheet in sheets for table in _tables(sheet)]
    single = [table for table in tables if RESULT in table.sheet.lines[table.header][1]]
    wells = [well for table in single for well in _of_one_analyte(table, options)]
    if not single:
        chosen = [table for table in tables if table.statistic == RESULT]
        chosen = chosen or [table for table in tables if not table.statistic]
        factors, expected = (_by_well(tables, name) for name in ("Dilution", "Exp Conc"))
        for table in chosen:
            wells += _of_all_analytes(table, options, factors, expected)
    if not wells:
        raise DataError(
            "E331",
            "there is no table with 'Type', 'Well' and concentrations",
            where=sheets[0].file,
            hint=f"export {RESULT!r} from Bio-Plex Manager, in one table or for each analyte",
        )
    return _without_averages(wells)


def _tables(sheet: Sheet) -> Iterator[_Table]:
    statistic = sheet.name if sheet.name in STATISTICS else ""
    analyte = "" if statistic else sheet.name
    for position, (_, cells) in enumerate(sheet.lines):
        filled = [cell for cell in cells if cell]
        if filled and filled[0].startswith("Analyte:"):
            analyte = filled[0].removeprefix("Analyte:").strip() or "".join(filled[1:2])
        elif len(filled) == 1 and filled[0] in STATISTICS:
            statistic = filled[0]
        if {"Type", "Well"} <= set(cells):
            yield _with_names_above(_Table(sheet, position, statistic, analyte))


def _with_names_above(table: _Table) -> _Table:
    """A header ``Type, Well, Obs Conc, Obs Conc`` with the analytes' names of the line above."""
    lines = list(table.sheet.lines)
    line, cells = lines[table.header]
    above = lines[table.header - 1][1] if table.header else []
    above = [*above, *[""] * (len(cells) - len(above))]
    named = {
        position: name
        for position, (cell, name) in enumerate(zip(cells, above, strict=False))
        if name and cell in STATISTICS
    }
    if not named:
        return table
    lines[table.header] = (line, [named.get(at, cell) for at, cell in enumerate(cells)])
    statistic = table.statistic or cells[min(named)]
    return replace(table, sheet=replace(table.sheet, lines=lines), statistic=statistic)


def _of_one_analyte(table: _Table, options: Options) -> Iterator[Well]:
    sheet = table.sheet
    for line, row in table.rows():
        analyte = row.get("Analyte") or table.analyte
        if not analyte:
            raise DataError(
                "E331",
                "the table does not say which analyte it is of",
                where=f"{sheet.file}, line {line}",
                hint="expected 'Analyte: NAME' above it, or a sheet of that name",
            )
        name, unit = split_unit(REGION.sub("", analyte))
        well = _well(sheet, line, row, name, row[RESULT], options)
        yield replace(
            well,
            column=RESULT,
            unit=unit,
            dilution=sheet.number(row.get("Dilution", "")),
            expected=sheet.number(row.get("Exp Conc", "")),
        )


def _of_all_analytes(
    table: _Table,
    options: Options,
    factors: dict[tuple[str, str], str],
    expected: dict[tuple[str, str], str],
) -> Iterator[Well]:
    for line, row in table.rows():
        for header in [name for name in row if name not in ABOUT_WELLS]:
            name, unit = split_unit(REGION.sub("", header))
            well = _well(table.sheet, line, row, name, row[header], options)
            spot = (row["Well"], header)
            factor = table.sheet.number(row.get("Dilution", "")) or factors.get(spot, "")
            yield replace(
                well, column=header, unit=unit, dilution=factor, expected=expected.get(spot, "")
            )


def _well(
    sheet: Sheet, line: str, row: dict[str, str], analyte: str, text: str, options: Options
) -> Well:
    match = TYPE.match(row["Type"])
    outlier = row.get("Outlier", "") not in ("", "0", "False", "No")
    return Well(
        row.get("Description") or row["Type"],
        analyte,
        options.plate_of(sheet.file),
        row["Well"].replace(" ", ""),
        "---" if outlier else sheet.number(text),
        sheet.file,
        line,
        analyte,
        kind=KIND[match[1]] if match else "",
    )


def _by_well(tables: list[_Table], statistic: str) -> dict[tuple[str, str], str]:
    """(well, analyte's header) -> another sheet's cell."""
    return {
        (row["Well"], header): table.sheet.number(cell)
        for table in tables
        if table.statistic == statistic
        for _, row in table.rows()
        for header, cell in row.items()
        if header not in ABOUT_WELLS
    }


def _without_averages(wells: list[Well]) -> list[Well]:
    """Each well once: no average beside its wells, and no line that was written twice."""
    single = {(well.plate, well.analyte, well.well) for well in wells}
    kept: dict[tuple[str, ...], Well] = {}
    for well in wells:
        parts = well.well.split(",")
        if len(parts) > 1 and all((well.plate, well.analyte, part) in single for part in parts):
            continue
        kept.setdefault((well.plate, well.analyte, well.well, well.sample, well.text), well)
    return list(kept.values())
