"""Rows and columns, wherever they stand: parquet, CSV, JSON, HTML, SQLite."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes
    ----------
    where : str
        File and table.
    columns : mapping
        Name -> values, as they were read; text in CSV and HTML.
    """

    where: str
    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return max(map(len, self.columns.values()), default=0)


class UnreadableError(ValueError):
    """A file is not what it begins like."""


def of_parquet(content: bytes, where: str) -> tuple[Table, str]:
    """The table of a parquet file, and the text of its metadata.

    Raises
    ------
    UnreadableError
        For a damaged file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableError(where) from error
    said = [
        value.decode(errors="replace")
        for key, value in (table.schema.metadata or {}).items()
        if key != b"ARROW:schema"
    ]
    return Table(where, table.to_pydict()), "\n".join(said)


def of_csv(text: str, where: str) -> list[Table]:
    """The table of a CSV or TSV text whose first row names the columns."""
    head = text.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    return _from_rows(rows, where)


def of_document(value: Any, where: str) -> Iterator[Table]:
    """The tables inside a JSON document.

    A list of objects, an object of equally long lists, and ``{"columns": ..., "data": ...}`` as
    MLflow writes its tables.
    """
    if isinstance(value, dict):
        columns, data = value.get("columns"), value.get("data")
        if isinstance(columns, list) and isinstance(data, list) and _are(data, list):
            yield from _from_rows([columns, *data], where)
            return
        lists = {key: item for key, item in value.items() if isinstance(item, list)}
        flat = not any(_are(item, (dict, list)) for item in lists.values())
        if flat and len({len(item) for item in lists.values()}) == 1:
            yield Table(where, lists)
        for key, item in value.items():
            yield from of_document(item, f"{where}, {key}")
    elif isinstance(value, list):
        if _are(value, dict):
            names = list(dict.fromkeys(name for row in value for name in row))
            yield Table(where, {name: [row.get(name) for row in value] for name in names})
        for item in value:
            if isinstance(item, (dict, list)):
                yield from of_document(item, where)


def _are(values: Sequence[Any], kind: type | tuple[type, ...]) -> bool:
    return bool(values) and all(isinstance(value, kind) for value in values)


def of_page(text: str, where: str) -> list[Table]:
    """The tables of an HTML page."""
    page = _Page()
    page.feed(text)
    return [found for rows in page.tables for found in _from_rows(rows, where)]


def _from_rows(rows: Sequence[Sequence[Any]], where: str) -> list[Table]:
    if len(rows) < 2:
        return []
    names = [str(name).strip() for name in rows[0]]
    body = [row for row in rows[1:] if len(row) == len(names)]
    columns: dict[str, list[Any]] = {}
    for position, name in enumerate(names):
        columns.setdefault(name or f"column {position + 1}", [row[position] for row in body])
    return [Table(where, columns)] if body else []


class _Page(HTMLParser):
    """Collects the cells of every table; one inside another becomes a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.open: list[list[list[str]]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "table":
            self.open.append([])
            self.tables.append(self.open[-1])
        elif self.open and tag == "tr":
            self.open[-1].append([])
        elif self.open and tag in ("td", "th") and self.open[-1]:
            self.open[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.inside = False
        elif tag == "table" and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.inside and self.open and self.open[-1] and self.open[-1][-1]:
            self.open[-1][-1][-1] += data


def of_database(path: Path, where: str) -> list[Table]:
    """The tables of an SQLite file, opened for reading alone.

    Raises
    ------
    UnreadableError
        For a damaged file.
    """
    # As a file that nobody writes: a lock would leave traces beside it.
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as opened:
            names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return [_of_database(opened, str(name), where) for (name,) in names]
    except sqlite3.Error as error:
        raise UnreadableError(where) from error


def _of_database(opened: sqlite3.Connection, name: str, where: str) -> Table:
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = opened.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - a name, quoted
    rows = cursor.fetchall()
    titles = [str(column[0]) for column in cursor.description]
    columns = {title: [row[k] for row in rows] for k, title in enumerate(titles)}
    return Table(f"{where}, table {name}", columns)
