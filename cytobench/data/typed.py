"""Files of typed cells, workbooks and parquet, as the text cells that a csv file would hold."""

from __future__ import annotations

import datetime
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from cytobench.core.errors import DataError, did_you_mean

Line = tuple[int, list[Any]]
"""Number of a line in its file, and its cells."""
LONGEST_CELL = 131_072
"""Characters; Python's csv reader stops there, too."""
MOST_CELLS = 20_000_000
"""Of a workbook, which may say in a few bytes that it has seventeen thousand million."""
MOST_UNPACKED = 256 * 2**20
"""Bytes of a workbook's members, which are compressed."""
INDEX = "__index_level_"
"""Beginning of the name that pandas gives to numbered rows in a parquet file."""


def parquet_lines(path: Path) -> list[Line]:
    """The header as line 1, then the rows; whole numbers to the last digit.

    Raises
    ------
    DataError
        ``E311`` for what cannot be read.
    """
    import pyarrow.parquet as pq

    with _foreign(path, "parquet"):
        table = pq.read_table(path, use_threads=False, pre_buffer=False)
        kept = [k for k, name in enumerate(table.column_names) if not name.startswith(INDEX)]
        columns = [[_as_text(cell) for cell in table.column(k).to_pylist()] for k in kept]
        rows = list(map(list, zip(*columns, strict=True)))
        _check_cells(rows)
        names = [table.column_names[k] for k in kept]
    return [(1, names), *enumerate(rows, start=2)]


def sheets_of(
    path: Path, sheet: str | None, decimal: str = ".", *, first: bool = False
) -> dict[str, list[Line]]:
    """The sheet that is named, else the first one, else all.

    Raises
    ------
    DataError
        ``E311`` for what cannot be read, or is no table of a size that anybody has measured.
    """
    from openpyxl import load_workbook

    with _foreign(path, "a workbook"):
        _check_unpacked(path)
        # Opened here: openpyxl leaves the file open where it fails.
        with path.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True)
            names = book.sheetnames
            if sheet is not None and sheet not in names:
                raise DataError(
                    "E311",
                    f"there is no sheet {sheet!r}",
                    where=str(path),
                    hint=did_you_mean(str(sheet), names),
                )
            pages = [book[sheet]] if sheet is not None else book.worksheets[: 1 if first else None]
            return {page.title: _even(_rows(page, decimal)) for page in pages}


def _check_unpacked(path: Path) -> None:
    """Refuse what would fill the memory; a member holds no more than the archive says of it."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MOST_UNPACKED:
        raise ValueError(f"would unpack to {size} bytes, at most {MOST_UNPACKED}; save it as csv")


def _rows(page: Any, decimal: str) -> list[list[str]]:
    """The cells of a sheet as text.

    What a sheet says of its own size is not believed: it may be too small, and cut rows off, or
    stand for more cells than memory has.
    """
    page.reset_dimensions()
    rows: list[list[str]] = []
    width = 0
    for row in page.iter_rows(values_only=True):
        width = max(width, len(row))
        if (len(rows) + 1) * (width + 1) > MOST_CELLS:
            raise ValueError(f"a sheet has more than {MOST_CELLS} cells; save it as csv")
        rows.append([_as_text(value, decimal) for value in row])
    _check_cells(rows)
    return rows


def _even(rows: list[list[str]]) -> list[Line]:
    """Numbered lines, all of one length."""
    width = max((len(row) for row in rows), default=0)
    return [(line, row + [""] * (width - len(row))) for line, row in enumerate(rows, start=1)]


def _as_text(value: Any, decimal: str = ".") -> str:
    """A typed cell as the text that a csv file would hold; numbers to the last bit."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value)).replace(".", decimal)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value).strip()


def _check_cells(rows: Sequence[Sequence[str]]) -> None:
    longest = max((len(cell) for row in rows for cell in row), default=0)
    if longest > LONGEST_CELL:
        raise ValueError(f"a cell has {longest} characters, at most {LONGEST_CELL}")


@contextmanager
def _foreign(path: Path, kind: str) -> Iterator[None]:
    """Whatever another library's reader says of a broken file, as ``E311``; it warns of nothing.

    Such a reader raises every kind of error there is, down to those of the XML parser and of zlib.
    """
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        hint = f"a text file is no {path.suffix[1:]} by its name: call it .csv, or save it anew"
        raise DataError(
            "E311", f"cannot be read as {kind}: {said}", where=str(path), hint=hint
        ) from error
