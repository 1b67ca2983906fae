"""Read one file into text cells; what a cell means is decided later, by its role."""

from __future__ import annotations

import csv
import datetime
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.cells import with_point
from cytobench.data.grammar import listed, one_of

FILE_KEYS = ("file", "sheet", "separator", "encoding", "decimal", "missing")
SEPARATORS = (",", ";", "\t", "|")
SPREADSHEETS = (".xlsx", ".xlsm")
TEXTS = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Files:
    """Where files are looked for, and how they are read unless their node says otherwise."""

    folders: Sequence[Path]
    decimal: str = "."
    missing: Sequence[str] = ()


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
    looked = ", ".join(str(candidate) for candidate in candidates) or "no folder"
    raise DataError(
        "E310",
        f"there is no such file; looked for {looked}",
        where=name,
        hint="say where your tables are: data=FOLDER on the command line, or set CYTOBENCH_DATA",
    )


def read_file(node: Mapping[str, Any], files: Files) -> pd.DataFrame:
    """Every cell as text, column names stripped; the index is the line in the file.

    Parameters
    ----------
    node : mapping
        ``file``, and perhaps ``sheet``, ``separator``, ``encoding``, ``decimal``, ``missing``.

    Raises
    ------
    DataError
        ``E310``; ``E311`` for a file that cannot be read, has two columns of one name, or no rows.
    """
    path = locate(str(node["file"]), files.folders)
    with reported(path):
        frame = _read(path, node, files)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError("E311", f"two columns are called {twice[0]!r}", where=str(path))
    if frame.empty:
        raise DataError("E311", "has no rows", where=str(path))
    missing = {str(text) for text in listed(node.get("missing", files.missing))}
    if missing:
        frame = frame.map(lambda text: "" if text.strip() in missing else text)
    return frame


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """What may go wrong in a file, as ``E311`` with its path."""
    try:
        yield
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError(
            "E311",
            f"cannot be read: {error}",
            where=str(path),
            hint="set `encoding:`; older Excel and Windows programs write latin-1",
        ) from error
    except (OSError, ValueError, KeyError, LookupError, csv.Error, zipfile.BadZipFile) as error:
        raise DataError("E311", f"cannot be read: {error}", where=str(path)) from error


def unknown_suffix(path: Path, known: Sequence[str]) -> DataError:
    """``E311`` for a kind of file that nobody reads."""
    return DataError(
        "E311",
        f"cannot read {path.suffix.lower() or 'a file without a suffix'}",
        where=str(path),
        hint=f"known: {', '.join(known)}",
    )


def _read(path: Path, node: Mapping[str, Any], files: Files) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix in SPREADSHEETS:
        return _table(_sheet(path, node.get("sheet")), path)
    if suffix == ".parquet":
        frame = pd.read_parquet(path)
        rows = zip(*(map(_as_text, frame[column]) for column in frame.columns), strict=True)
        return _table([(1, list(frame.columns)), *enumerate(map(list, rows), start=2)], path)
    if suffix not in TEXTS:
        raise unknown_suffix(path, (*TEXTS, *SPREADSHEETS, ".parquet"))
    frame = _table(lines_of(path, node.get("separator"), node.get("encoding")), path)
    decimal = one_of(node.get("decimal", files.decimal), (".", ","), f"{node['file']}: decimal")
    return frame.map(with_point) if decimal == "," else frame


Line = tuple[int, list[Any]]
"""Number of a line in its file, and its cells."""


def _table(lines: list[Line], path: Path) -> pd.DataFrame:
    """The first line is the header; lines without any content are left out."""
    names = [str(name).strip() for name in lines[0][1]] if lines else []
    while names and not names[-1] and not any(any(row[len(names) - 1 :]) for _, row in lines[1:]):
        names.pop()  # a spreadsheet's empty margin
    full = [(line, row) for line, row in lines[1:] if any(row)]
    for line, row in full:
        if len(row) != len(names) and (len(row) < len(names) or any(row[len(names) :])):
            raise DataError(
                "E311",
                f"has {len(row)} cells, the header has {len(names)}",
                where=f"{path}, line {line}",
                hint="set `separator:` or `decimal:`, or quote cells that hold the separator",
            )
    return pd.DataFrame(
        [row[: len(names)] for _, row in full],
        columns=names,
        index=[line for line, _ in full],
        dtype=object,
    )


def lines_of(
    path: Path,
    separator: str | None,
    encoding: str | None,
    among: Sequence[str] = SEPARATORS,
    *,
    whole: bool = False,
) -> list[Line]:
    """Cells of each line; a separator that is not given is found in the header, or in all."""
    with path.open(encoding=encoding or "utf-8-sig", newline="") as stream:
        header = stream.read() if whole else stream.readline()
        stream.seek(0)
        if separator is None:
            separator = max(among, key=header.count)
        reader = csv.reader(stream, delimiter=separator)
        lines, start = [], 1
        for row in reader:
            lines.append((start, row))
            start = reader.line_num + 1  # a quoted cell may span several lines
    return lines


def _sheet(path: Path, sheet: str | None) -> list[Line]:
    (lines,) = sheets_of(path, sheet, first=True).values()
    return lines


def sheets_of(
    path: Path, sheet: str | None, decimal: str = ".", *, first: bool = False
) -> dict[str, list[Line]]:
    """The sheet that is named, else the first one, else all."""
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
        pages = [book[sheet]] if sheet is not None else book.worksheets[: 1 if first else None]
        return {
            page.title: _even(
                [
                    [_as_text(value, decimal) for value in row]
                    for row in page.iter_rows(values_only=True)
                ]
            )
            for page in pages
        }
    finally:
        book.close()


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
