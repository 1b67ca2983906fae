"""Which revision of its tables an MLflow database has, and which the installed MLflow wants."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

_REVISION = re.compile(r"^revision\b[^=\n]*=\s*[\"']([0-9a-f]+)", re.MULTILINE)
_BEFORE = re.compile(r"^down_revision\b[^=\n]*=(.*)$", re.MULTILINE)


def wanted_revision() -> str:
    """The last of the installed MLflow's migrations; empty where it cannot be told.

    Read from the files: importing MLflow takes seconds, and asking it for this needs a private
    function.
    """
    spec = find_spec("mlflow")
    places = list(spec.submodule_search_locations or []) if spec else []
    revisions, before = set[str](), set[str]()
    for place in places:
        for file in (Path(place) / "store" / "db_migrations" / "versions").glob("*.py"):
            text = file.read_text(encoding="utf-8")
            revisions.update(_REVISION.findall(text))
            for line in _BEFORE.findall(text):
                before.update(re.findall(r"[\"']([0-9a-f]+)", line))
    last = revisions - before
    return last.pop() if len(last) == 1 else ""


def stored_revision(database: Path) -> str:
    """The revision of a SQLite database's tables; empty where it has none.

    Raises
    ------
    sqlite3.DatabaseError
        Where the file is no database, or is locked.
    """
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        if tables.fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def refuses_writers(database: Path, patience: float) -> str:
    """Why nobody can begin to write within `patience` seconds; empty where one can.

    Nothing is written: the transaction is given up at once.
    """
    with closing(sqlite3.connect(database, timeout=patience, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return str(error)
    return ""
