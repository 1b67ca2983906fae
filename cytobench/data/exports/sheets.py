"""A file as it is: text, or all sheets of a workbook; a header may stand anywhere in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.core.errors import DataError
from cytobench.data.cells import with_point
from cytobench.data.grammar import listed, one_of
from cytobench.data.readers import (
    SEPARATORS,
    SPREADSHEETS,
    TEXTS,
    Files,
    lines_of,
    locate,
    reported,
    unknown_suffix,
)
from cytobench.data.typed import sheets_of


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, or a text file, as it is: a header may stand anywhere in it.

    Attributes
    ----------
    file, name : str
        ``name`` is empty for a text file.
    lines : sequence of (int, list of str)
        Number of a line in its file, and its cells, stripped.
    decimal : {".", ","}
        Of all numbers, also of those that a workbook holds as numbers.
    """

    file: str
    name: str
    lines: Sequence[tuple[int, list[str]]]
    decimal: str = "."

    def at(self, line: int) -> str:
        """Number of a line, with its sheet."""
        return f"{line} of sheet {self.name!r}" if self.name else str(line)

    def table(
        self, header: int, *, ends: bool = True, titles: bool = False
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows below a header.

        Parameters
        ----------
        header : int
            Position of the header in ``lines``.
        ends : bool
            Whether an empty line ends the table; else it is passed over.
        titles : bool
            Whether a line with one cell only is the next table's title, and ends this one.

        Yields
        ------
        int, dict
            Position of the row in ``lines``; column -> cell, where the header names a column.

        Raises
        ------
        DataError
            ``E331`` for two columns of one name, or a row that is longer than its header.
        """
        line, names = self.lines[header]
        named = [name for name in names if name]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise DataError(
                "E331",
                f"two columns are called {twice!r}",
                where=f"{self.file}, line {self.at(line)}",
            )
        for position in range(header + 1, len(self.lines)):
            line, cells = self.lines[position]
            filled = sum(map(bool, cells))
            if not filled and not ends:
                continue
            if not filled or (titles and filled == 1 < len(named)):
                return
            if any(cells[len(names) :]):
                raise DataError(
                    "E331",
                    f"has {len(cells)} cells, the header has {len(names)}",
                    where=f"{self.file}, line {self.at(line)}",
                    hint="set `separator:` or `decimal:`, or quote cells that hold the separator",
                )
            even = [*cells, *[""] * (len(names) - len(cells))]
            yield position, {name: cell for name, cell in zip(names, even, strict=False) if name}

    def number(self, text: str) -> str:
        """A cell that should hold a number, with a decimal point."""
        return with_point(text) if self.decimal == "," else text


def read_sheets(node: Mapping[str, Any], files: Files) -> list[Sheet]:
    """Every sheet of a workbook, or a text file as one sheet, without taking a line for a header.

    Parameters
    ----------
    node : mapping
        As for :func:`read_file`; ``sheet`` reads that one only.

    Raises
    ------
    DataError
        ``E310``, ``E311``.
    """
    name = str(node["file"])
    path = locate(name, files.folders)
    decimal = one_of(node.get("decimal", files.decimal), (".", ","), f"{name}: decimal")
    suffix = path.suffix.lower()
    if suffix not in (*TEXTS, *SPREADSHEETS):
        raise unknown_suffix(path, (*TEXTS, *SPREADSHEETS))
    with reported(path):
        if suffix in SPREADSHEETS:
            pages = sheets_of(path, node.get("sheet"), decimal)
        else:
            among = [one for one in SEPARATORS if one != decimal]
            separator = node.get("separator")
            pages = {"": lines_of(path, separator, node.get("encoding"), among, whole=True)}
    missing = {str(text) for text in listed(node.get("missing", files.missing))}

    def clean(row: list[Any]) -> list[str]:
        return ["" if str(cell).strip() in missing else str(cell).strip() for cell in row]

    return [
        Sheet(name, page, [(line, clean(row)) for line, row in lines], decimal)
        for page, lines in pages.items()
    ]
