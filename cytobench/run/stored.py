"""The files of the run store: sealed when they are written, checked when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.seal import BLANK, intact, sealed
from cytobench.run.versioned import version_of

METADATA, SEAL = b"cytobench", "seal"
SALT, SALT_CHECK = 32, 8
"""Bytes of the salt, and of its own sha256 behind it."""
MOST_CELLS = 100_000_000
"""Of a file's table: rows times columns."""
DERIVED = "derived-"
"""Prefix of files that follow from the others of a cell."""


def is_derived(name: str) -> bool:
    """Whether a file of a cell's folder follows from the others, or is none of its results."""
    return name.startswith((DERIVED, "."))


def salt_in(path: Path) -> bytes:
    """The salt in a file.

    Raises
    ------
    StoreError
        ``E513`` for one that is damaged.
    """
    content = read(path)
    salt, check = content[:SALT], content[SALT:]
    if len(salt) < SALT or check not in (b"", salt_check(salt)):
        raise StoreError(
            "E513",
            "the salt of the patients' pseudonyms is damaged",
            where=str(path),
            hint="restore the file from a copy, or start another store with store=PATH",
        )
    return salt


def salt_check(salt: bytes) -> bytes:
    """What stands behind a salt in its file."""
    return hashlib.sha256(salt).digest()[:SALT_CHECK]


def sealed_json(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    """A document as a file with its own checksum."""
    plain = {**document, SEAL: BLANK}
    text = json.dumps(plain, indent=indent, ensure_ascii=False, allow_nan=False)
    return sealed(text.encode())


def sealed_table(table: Any, metadata: Mapping[bytes, bytes]) -> bytes:
    """A table as a Parquet file with its own checksum."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    # Last: nothing that a plugin has said can be taken for it.
    table = table.replace_schema_metadata({**metadata, SEAL.encode(): BLANK.encode()})
    pq.write_table(table, buffer)
    return sealed(buffer.getvalue().to_pybytes())


def check(path: Path) -> None:
    """See that a file of a cell is what was written; what follows from others is not looked at."""
    if path.name.endswith(".json") and not path.name.startswith((".", DERIVED)):
        read_json(path)
    elif path.name.startswith(("fold-", "inner-")) and intact(read(path)) is None:
        # Written before files were sealed: it can be read, or it cannot.
        read_fold(path) if path.name.startswith("fold-") else read_table(path)


def read(path: Path) -> bytes:
    """A file's bytes, which fit its seal if it has one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if intact(content) is False:
        raise unreadable(path, "it is not what was written; its checksum differs")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """A JSON document, without its seal."""
    try:
        document = json.loads(read(path), parse_constant=_no_number)
        document.pop(SEAL, None)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(path, error) from error
    return {str(name): value for name, value in document.items()}


def _no_number(text: str) -> None:
    raise ValueError(f"{text} stands for no number")


def read_fold(path: Path) -> tuple[Any, dict[str, Any]]:
    """A fold's columns, and the rest of its record."""
    content = read(path)
    table = _parsed(path, content)
    try:
        record = json.loads(table.schema.metadata[METADATA])
        if record.get(SEAL) and intact(content) is None:
            raise ValueError("its checksum is lost")
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise unreadable(path, error) from error
    return table, record


def read_table(path: Path) -> Any:
    """The columns of a Parquet file."""
    return _parsed(path, read(path))


def _parsed(path: Path, content: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Three times as fast as read_table, which looks at the file as one of a data set.
        # Without threads: where a process ends soon after, they abort it.
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        size = file.metadata.num_rows * file.metadata.num_columns
        if size > MOST_CELLS:  # equal ones take no room in the file, and all of it in memory
            raise ValueError(f"it has {size} cells, at most {MOST_CELLS}")
        return file.read(use_threads=False)
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def read_record(path: Path) -> dict[str, Any]:
    """A JSON document of any known version, without the version."""
    document = read_json(path)
    version_of(document, str(path))
    document.pop("schema", None)
    return document


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unreadable(path: Path, why: Exception | str) -> StoreError:
    """``E510``: a file that is not what was written."""
    return StoreError(
        "E510",
        f"cannot be read: {why}",
        where=str(path),
        hint="the run that wrote it mends it: give its command again",
    )


def unexpected(path: Path, why: Exception | str) -> StoreError:
    """``E510``: a file whose seal is intact, and whose content no run has written."""
    return StoreError(
        "E510",
        f"does not hold what a run writes: {why}",
        where=str(path),
        hint="delete it, and give the command of its run again",
    )


def unwritable(path: Path, error: OSError) -> StoreError:
    """``E512``: a file or folder that takes nothing."""
    return StoreError(
        "E512",
        f"cannot be written: {error.strerror or error}",
        where=str(path),
        hint="check space and permissions, or choose another folder with store=PATH",
    )
