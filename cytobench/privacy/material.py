"""The files of a folder as an audit looks at them; archives are opened, nothing is unpickled."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cytobench.privacy.tables import (
    Table,
    UnreadableError,
    of_csv,
    of_database,
    of_document,
    of_page,
    of_parquet,
)

IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"wOFF", b"wOF2", b"%PDF")
"""What is drawn: nothing in it is searched for names."""
PICKLED = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".cloudpickle")
MODEL = ".skops"
PROTOCOLS = tuple(b"\x80" + bytes([version]) for version in range(2, 6))
LARGEST_MEMBER = 256 * 1024**2
"""Bytes to which one member of an archive is unpacked; a larger one counts as not read."""


@dataclass(frozen=True)
class Item:
    """One file, or one member of an archive.

    Attributes
    ----------
    where : str
        Its path in the folder, with the member's after it.
    path : Path
        The file on disk.
    content : bytes
        None where it cannot be read.
    """

    where: str
    path: Path
    content: bytes | None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.where.rpartition("/")[2]

    @cached_property
    def kind(self) -> str:
        """Such as ``parquet``, by its first bytes; ``unknown`` for what nobody can read."""
        if self.content is None:
            return "unknown"
        head = self.content[:16]
        suffix = Path(self.name).suffix.lower()
        if suffix == MODEL:
            return "model"
        if suffix in PICKLED or (head[:2] in PROTOCOLS and self.content.endswith(b".")):
            return "pickle"
        for kind, start in (
            ("parquet", b"PAR1"),
            ("database", b"SQLite format 3\0"),
            ("archive", b"PK\x03\x04"),
            *(("image", start) for start in IMAGES),
        ):
            if head.startswith(start):
                return kind
        return "unknown" if self._decoded is None else "text"

    @cached_property
    def _decoded(self) -> str | None:
        try:
            return (self.content or b"").decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    @cached_property
    def document(self) -> Any:
        """The content of a JSON file, else None."""
        if self.kind != "text" or not self.name.lower().endswith((".json", ".ipynb")):
            return None
        try:
            return json.loads(self._decoded or "")
        except ValueError:
            return None

    @cached_property
    def text(self) -> str:
        """Every word in it; those of tables and databases too."""
        if self.kind == "text":
            if self.document is not None:
                # As escaped, an umlaut is no letter.
                return json.dumps(self.document, ensure_ascii=False)
            return self._decoded or ""
        found, said = self._structured
        words = [said or ""]
        for table in found:
            words += table.columns
            for values in table.columns.values():
                words += [value for value in values if isinstance(value, str)]
        return "\n".join(words)

    @property
    def tables(self) -> list[Table]:
        """What stands in it as rows and columns."""
        return self._structured[0]

    @property
    def said(self) -> str:
        """What stands beside its tables, such as a parquet file's metadata."""
        return self._structured[1] or ""

    @property
    def unread(self) -> bool:
        """Nothing is known of what is in it."""
        return self.kind == "unknown" or self._structured[1] is None

    @cached_property
    def _structured(self) -> tuple[list[Table], str | None]:
        """Tables, and what is said beside them; None in its place for a damaged file."""
        try:
            return self._read()
        except UnreadableError:
            return [], None

    def _read(self) -> tuple[list[Table], str]:
        suffix = Path(self.name).suffix.lower()
        if self.kind == "parquet":
            table, said = of_parquet(self.content or b"", self.where)
            return [table], said
        if self.kind == "database":
            return of_database(self.path, self.where), ""
        if self.document is not None:
            return list(of_document(self.document, self.where)), ""
        if self.kind == "text" and suffix in (".csv", ".tsv", ".tab"):
            return of_csv(self._decoded or "", self.where), ""
        if self.kind == "text" and suffix in (".html", ".htm"):
            return of_page(self._decoded or "", self.where), ""
        return [], ""


def items(folder: Path) -> Iterator[Item]:
    """Every file below a folder, or the one file, with the members of archives; no link."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    for path in files:
        if path.is_symlink() or not path.is_file():
            continue
        where = path.name if path == folder else path.relative_to(folder).as_posix()
        try:
            item = Item(where, path, path.read_bytes())
        except OSError:
            item = Item(where, path, None)
        yield item
        if item.kind == "archive":
            yield from _members(item)


def links(folder: Path) -> list[str]:
    """Links in a folder, which nobody follows."""
    found = [path for path in folder.rglob("*") if path.is_symlink()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _members(archive: Item) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive.content or b"")) as opened:
            for member in opened.infolist():
                if member.is_dir():
                    continue
                where = f"{archive.where}/{re.sub(r'^[/.]+', '', member.filename)}"
                large = member.file_size > LARGEST_MEMBER
                content = None if large or member.flag_bits & 1 else opened.read(member)
                yield Item(where, archive.path, content)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError):
        yield Item(f"{archive.where}/(damaged)", archive.path, None)
