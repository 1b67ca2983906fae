"""Read one file into text cells; what a cell means is decided later, by its role."""

from __future__ import annotations

import csv
import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cytobench.core.errors import DataError, did_you_mean

SEPARATORS = (",", ";", "\t", "|")
SPREADSHEETS = (".xlsx", ".xlsm")
TEXTS = (".csv", ".tsv", ".txt")


def locate(name: str, folders: Sequence[Path]) -> Path:
    """Find a file: an absolute path, or a name in one of the data folders.

    Raises
    ------
    DataError
        ``E310``, with every place that was looked in.
    """
    path = Path(name).expanduser()
    candidates = [path] if path.is_absolute() else [folder / path for folder in folders]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise DataError(
        "E310",
        f"there is no such file; looked for {looked}",
        where=name,
        hint="say where your tables are: data=FOLDER on the command line, or set CYTOBENCH_DATA",
    )


def read_file(path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
    """Every cell as text, column names stripped; the first data row is line 2.

    Parameters
    ----------
    options : mapping
        ``sheet``, ``separator``, ``encoding``.

    Raises
    ------
    DataError
        ``E311`` for a file that cannot be read, has two columns of one name, or no rows.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in SPREADSHEETS:
            frame = _read_spreadsheet(path, options.get("sheet"))
        elif suffix == ".parquet":
            frame = pd.read_parquet(path)
            frame = pd.DataFrame({column: map(_as_text, frame[column]) for column in frame.columns})
        elif suffix in TEXTS:
            frame = _read_text(path, options.get("separator"), options.get("encoding"))
        else:
            raise DataError(
                "E311",
                f"cannot read {suffix or 'a file without a suffix'}",
                where=str(path),
                hint=f"known: {', '.join((*TEXTS, *SPREADSHEETS, '.parquet'))}",
            )
    except DataError:
        raise
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise DataError("E311", f"cannot be read: {error}", where=str(path)) from error
    frame.columns = [str(column).strip() for column in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError("E311", f"two columns are called {twice[0]!r}", where=str(path))
    if frame.empty:
        raise DataError("E311", "has no rows", where=str(path))
    return frame


def _read_text(path: Path, separator: str | None, encoding: str | None) -> pd.DataFrame:
    with path.open(encoding=encoding or "utf-8-sig", newline="") as stream:
        header = stream.readline()
        stream.seek(0)
        if separator is None:
            separator = max(SEPARATORS, key=header.count)
        rows = list(csv.reader(stream, delimiter=separator))
    names = rows[0] if rows else []
    for line, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(names):
            raise DataError(
                "E311",
                f"has {len(row)} cells, the header has {len(names)}",
                where=f"{path}, line {line}",
                hint="set `separator:` or `decimal:`, or quote cells that hold the separator",
            )
    lines = [line for line, row in enumerate(rows[1:], start=2) if row]
    frame = pd.DataFrame([row for row in rows[1:] if row], columns=names, dtype=object)
    frame.index = pd.Index(lines)
    return frame


def _read_spreadsheet(path: Path, sheet: str | None) -> pd.DataFrame:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(
                "E311",
                f"there is no sheet {sheet!r}",
                where=str(path),
                hint=did_you_mean(sheet, book.sheetnames),
            )
        page = book[sheet] if sheet is not None else book.worksheets[0]
        rows = [[_as_text(value) for value in row] for row in page.iter_rows(values_only=True)]
    finally:
        book.close()
    if not rows:
        raise DataError("E311", "the sheet is empty", where=str(path))
    lines = [line for line, row in enumerate(rows[1:], start=2) if any(row)]
    return pd.DataFrame(
        [row for row in rows[1:] if any(row)], columns=rows[0], index=lines, dtype=object
    )


def _as_text(value: Any) -> str:
    """A typed cell as the text that a csv file would hold; numbers to the last bit."""
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value).strip()
