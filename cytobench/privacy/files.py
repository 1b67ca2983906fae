"""Files as such: the salt, permissions, pickles, links, and what nobody can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from cytobench.privacy.codes import Leak
from cytobench.privacy.identifiers import STORED
from cytobench.privacy.knowledge import Knowledge
from cytobench.privacy.material import Item, links
from cytobench.privacy.rows import INNER

SALT = "salt"
SALT_BYTES = (32, 40)
"""Without and with its checksum."""
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite calls the files beside a database, after its name."""


def of_file(item: Item, known: Knowledge) -> Iterator[Leak]:
    """What a file is, whatever it says."""
    del known
    if is_salt(item):
        yield Leak("P104", "pseudonyms can be undone with it", item.where)
        if os.name == "posix" and _mode(item.path) & 0o077:
            yield Leak("P105", f"has mode {_mode(item.path):o}", item.where)
    elif item.kind == "pickle":
        yield Leak("P140", "begins or is called like one", item.where)
    elif item.kind == "model":
        yield Leak("P143", "is stored as skops writes it", item.where)
    elif item.unread:
        yield Leak("P141", "is in no format that is known here, or damaged", item.where)


def is_salt(item: Item) -> bool:
    """A run store's salt, wherever it lies."""
    return item.name == SALT and item.content is not None and len(item.content) in SALT_BYTES


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def holds_rows(item: Item) -> bool:
    """Whether a file has a row for each patient."""
    return bool(STORED.search(item.where) or INNER.search(item.where))


def holds_database(item: Item) -> bool:
    """Whether a file is a database that can be read, and no member of an archive."""
    return item.kind == "database" and item.name == item.path.name and not item.unread


def of_folder(
    root: Path, rows: Collection[Path], databases: Collection[Path] = ()
) -> Iterator[Leak]:
    """Links, and who may read and write.

    Parameters
    ----------
    rows : collection of Path
        Files with a row for each patient.
    databases : collection of Path
        What SQLite keeps beside them holds their newest or their last pages, and counts too.
    """
    for where in links(root):
        yield Leak("P142", "points elsewhere", where)
    if os.name != "posix":
        return
    readable = sum(bool(_mode(path) & stat.S_IROTH) for path in rows)
    if readable:
        yield Leak("P106", f"{readable} files of patients' rows are readable by others", ".")
    kept = [Path(f"{path}{end}") for path in databases for end in ("", *BESIDE)]
    if readable := sum(bool(_mode(path) & stat.S_IROTH) for path in kept if path.is_file()):
        yield Leak("P106", f"{readable} files of databases are readable by others", ".")
    if root.is_dir() and _mode(root) & stat.S_IWOTH:
        yield Leak("P106", "others may write into the folder", ".")
