"""Read one file into text cells; what a cell means is decided later, by its role."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytobench.core.errors import DataError
from cytobench.data.cells import with_point
from cytobench.data.grammar import listed, one_of
from cytobench.data.spelling import lookalikes
from cytobench.data.typed import Line, parquet_lines, sheets_of

FILE_KEYS = ("file", "sheet", "separator", "encoding", "decimal", "missing")
DEFAULT_ENCODING = "utf-8-sig"
SEPARATORS = (",", ";", "\t", "|")
SPREADSHEETS = (".xlsx", ".xlsm")
TEXTS = (".csv", ".tsv", ".txt")
LONGEST_NAME = 1000
"""Characters of a column's name."""


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
        if _is_file(candidate):
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates) or "no folder"
    raise DataError(
        "E310",
        f"there is no such file; looked for {looked}",
        where=name,
        hint="say where your tables are: data=FOLDER on the command line, or set CYTOBENCH_DATA",
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False


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
    alike = lookalikes(frame.columns)
    if alike:
        raise DataError(
            "E311",
            f"two columns look the same: {alike[0]!a} and {alike[1]!a}",
            where=str(path),
            hint="rename one in the file; they differ in letters that nobody sees",
        )
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
            hint=_encoding_hint(path),
        ) from error
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise DataError("E311", f"cannot be read: {error}", where=str(path)) from error


def _encoding_hint(path: Path) -> str:
    """Which encoding to name: a file in UTF-16 begins with its mark of byte order."""
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked:
        return "set `encoding: utf-16`, in which Excel saves Unicode text"
    return "set `encoding: latin-1`, which older Excel and Windows programs write"


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
        return _table(parquet_lines(path), path)
    if suffix not in TEXTS:
        raise unknown_suffix(path, (*TEXTS, *SPREADSHEETS, ".parquet"))
    frame = _table(lines_of(path, node.get("separator"), node.get("encoding")), path)
    decimal = one_of(node.get("decimal", files.decimal), (".", ","), f"{node['file']}: decimal")
    return frame.map(with_point) if decimal == "," else frame


def _table(lines: list[Line], path: Path) -> pd.DataFrame:
    """The first line is the header; lines without any content are left out."""
    names = [str(name).strip() for name in lines[0][1]] if lines else []
    longest = max(map(len, names), default=0)
    if longest > LONGEST_NAME:
        raise DataError(
            "E311",
            f"a column's name has {longest} characters, at most {LONGEST_NAME}",
            where=f"{path}, line {lines[0][0]}",
            hint="the first line holds the columns' names; is a quotation mark missing in it?",
        )
    filled = max((_filled(row) for _, row in lines[1:]), default=0)
    while names and not names[-1] and len(names) > filled:
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


def _filled(row: Sequence[Any]) -> int:
    """How many cells there are up to the last one that holds something."""
    return next((end for end in range(len(row), 0, -1) if row[end - 1]), 0)


def lines_of(
    path: Path,
    separator: str | None,
    encoding: str | None,
    among: Sequence[str] = SEPARATORS,
    *,
    whole: bool = False,
) -> list[Line]:
    """Cells of each line; a separator that is not given is found in the header, or in all."""
    separator, encoding = _one_letter(separator), _codec(encoding)
    with path.open(encoding=encoding, newline="") as stream:
        header = stream.read() if whole else stream.readline()
        stream.seek(0)
        if encoding != DEFAULT_ENCODING:
            stream.read().encode()  # some codecs give half characters, which nothing can store
            stream.seek(0)
        if separator is None:
            separator = max(among, key=header.count)
        reader = csv.reader(stream, delimiter=separator)
        lines, start = [], 1
        for row in reader:
            lines.append((start, row))
            start = reader.line_num + 1  # a quoted cell may span several lines
    return lines


def _one_letter(separator: Any) -> str | None:
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise DataError(
            "E322",
            f"expected one character, found {separator!r}",
            where="separator",
            hint='"\\t" in double quotes is a tabulator',
        )
    return separator


def _codec(encoding: Any) -> str:
    if encoding is None:
        return DEFAULT_ENCODING
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError, ValueError) as error:
        raise DataError(
            "E322",
            f"no encoding is called {encoding!r}",
            where="encoding",
            hint="utf-8, utf-16, latin-1, cp1252 ...",
        ) from error
    return str(encoding)


def _sheet(path: Path, sheet: str | None) -> list[Line]:
    (lines,) = sheets_of(path, sheet, first=True).values()
    return lines
