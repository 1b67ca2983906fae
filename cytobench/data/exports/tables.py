"""Tables of wells that no instrument's software prescribes: long, or one row for each well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.exports.options import Options
from cytobench.data.exports.sheets import Sheet
from cytobench.data.exports.wells import Well, kind_of_word, split_unit
from cytobench.data.grammar import check_keys, listed

SHARED_ROLES = ("sample", "plate", "well", "dilution", "type", "unit")
LONG_ROLES = (*SHARED_ROLES, "analyte", "value", "llod", "uloq")
WIDE_ROLES = (*SHARED_ROLES, "analytes")


def read_long(sheets: list[Sheet], options: Options) -> Iterator[Well]:
    """Wells of a table with one row for each well and analyte.

    Raises
    ------
    DataError
        ``E331`` where a column is missing, ``E322`` for an unknown role.
    """
    check_keys(options.columns, LONG_ROLES, "columns")
    sheet = sheets[0]
    header, column = _header(sheet, options.columns, LONG_ROLES, ("sample", "analyte", "value"))
    for position, row in sheet.table(header, ends=False):
        cell = {role: row[name] for role, name in column.items()}
        yield _well(sheet, position, cell, options, cell["analyte"], cell["value"], column["value"])


def read_wide(sheets: list[Sheet], options: Options) -> Iterator[Well]:
    """Wells of a table with one row for each well and one column for each analyte.

    A header may state the unit: ``IL-6 (pg/mL)``.

    Raises
    ------
    DataError
        ``E331``, ``E322``.
    """
    check_keys(options.columns, WIDE_ROLES, "columns")
    sheet = sheets[0]
    named = {role: name for role, name in options.columns.items() if role != "analytes"}
    header, column = _header(sheet, named, SHARED_ROLES, ("sample",))
    there = [name for name in sheet.lines[header][1] if name]
    analytes = [str(name) for name in listed(options.columns.get("analytes"))]
    for name in analytes:
        if name not in there:
            raise _no_column(sheet, header, name)
    analytes = analytes or [name for name in there if name not in column.values()]
    for position, row in sheet.table(header, ends=False):
        cell = {role: row[name] for role, name in column.items()}
        for name in analytes:
            analyte, unit = split_unit(name)
            units = {"unit": unit} if unit else {}
            yield _well(sheet, position, {**cell, **units}, options, analyte, row[name], name)


def _header(
    sheet: Sheet, named: Mapping[str, object], roles: tuple[str, ...], needed: tuple[str, ...]
) -> tuple[int, dict[str, str]]:
    """Position of the first line that has the columns, and role -> column."""
    filled = [position for position, (_, cells) in enumerate(sheet.lines) if any(cells)]
    if not filled:
        raise DataError("E331", "has no rows", where=sheet.file)
    wanted = {role: str(named.get(role, role)) for role in roles}
    asked = [wanted[role] for role in roles if role in named or role in needed]
    for position in filled:
        cells = sheet.lines[position][1]
        spelled = {cell.casefold(): cell for cell in reversed(cells)}
        if all(name in cells or name.casefold() in spelled for name in asked):
            return position, {
                role: name if name in cells else spelled[name.casefold()]
                for role, name in wanted.items()
                if name in cells or name.casefold() in spelled
            }
    there = [cell.casefold() for cell in sheet.lines[filled[0]][1]]
    raise _no_column(
        sheet, filled[0], next((name for name in asked if name.casefold() not in there), asked[0])
    )


def _no_column(sheet: Sheet, header: int, name: str) -> DataError:
    line, cells = sheet.lines[header]
    there = [cell for cell in cells if cell]
    return DataError(
        "E331",
        f"there is no column {name!r}",
        where=f"{sheet.file}, line {sheet.at(line)}",
        hint=f"name it under `columns:`; {did_you_mean(name, there)}",
    )


def _well(
    sheet: Sheet,
    position: int,
    cell: Mapping[str, str],
    options: Options,
    analyte: str,
    text: str,
    column: str,
) -> Well:
    return Well(
        cell["sample"],
        analyte,
        options.plate_of(sheet.file, cell.get("plate", "")),
        cell.get("well", ""),
        sheet.number(text),
        sheet.file,
        sheet.at(sheet.lines[position][0]),
        column,
        unit=cell.get("unit", ""),
        dilution=sheet.number(cell.get("dilution", "")),
        llod=sheet.number(cell.get("llod", "")),
        uloq=sheet.number(cell.get("uloq", "")),
        kind=kind_of_word(cell.get("type", "")),
    )
