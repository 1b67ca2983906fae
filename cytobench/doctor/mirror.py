"""The database or the server that results are mirrored to."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from cytobench.doctor.folders import nearest, refusal
from cytobench.doctor.register import Situation, Symptom, check
from cytobench.tracking.client import database_file, is_server
from cytobench.tracking.schema import refuses_writers, stored_revision, wanted_revision

PATIENCE = 2.0
"""Seconds in which a run that writes lets others write too."""
SERVER_SECONDS = 5.0
MOUNTS = Path("/proc/self/mounts")
DISTANT = re.compile(
    r"(nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|fuse\.(sshfs|glusterfs|rclone|s3fs|"
    r"gcsfuse|blobfuse\w*))\Z"
)
DRIVERS = {
    "postgresql": "psycopg2", "postgresql+psycopg": "psycopg", "mysql": "MySQLdb",
    "mysql+pymysql": "pymysql", "mssql+pymssql": "pymssql",
}  # fmt: skip
"""Scheme -> the module that SQLAlchemy imports for it."""


@check(
    "D601", "an address that MLflow does not take", "breaks",
    "Results are stored, and not mirrored.",
)  # fmt: skip
def no_address(situation: Situation) -> Iterator[Symptom]:
    """Look at the scheme, and for the driver of a database server."""
    uri = _uri(situation)
    if not uri or is_server(uri) or database_file(uri) is not None:
        return
    scheme = uri.partition("://")[0] if "://" in uri else ""
    if scheme.startswith("sqlite"):
        yield Symptom(f"{uri} has too few slashes", "tracking.uri", "sqlite:///mlflow.db")
    elif not scheme:
        yield Symptom(
            f"{uri} is a folder or file, which MLflow no longer writes", "tracking.uri",
            f"a database file: tracking.uri=sqlite:///{uri.removeprefix('./')}"
            + ("" if uri.endswith(".db") else ".db"),
        )  # fmt: skip
    elif scheme not in DRIVERS and scheme != "databricks":
        known = ", ".join(["sqlite", "http", "https", *DRIVERS])
        yield Symptom(f"MLflow knows no {scheme}://", "tracking.uri", f"there are: {known}")
    elif scheme in DRIVERS and find_spec(DRIVERS[scheme]) is None:
        yield Symptom(
            f"{scheme} needs the module {DRIVERS[scheme]}", "tracking.uri",
            "install it, or write to an MLflow server that has it: tracking.uri=http://...",
        )  # fmt: skip


@check(
    "D602", "the database cannot be written", "breaks",
    "Results are stored, and not mirrored; `cytobench track` mirrors them later.",
)  # fmt: skip
def unwritable_database(situation: Situation) -> Iterator[Symptom]:
    """Make a file beside it: SQLite's journal needs one."""
    database = _database(situation)
    if database is None:
        return
    place = nearest(database.parent)
    hint = "give yourself the folder, or say tracking.uri=sqlite:///PATH"
    if said := refusal(place):
        yield Symptom(said, str(place), hint)
    elif database.is_file() and not _writable(database):
        yield Symptom("the file is read-only", str(database), hint)


@check(
    "D603", "the database is locked", "breaks",
    "Another process holds it, or has died on another machine while it did: the mirror gives up.",
)  # fmt: skip
def locked_database(situation: Situation) -> Iterator[Symptom]:
    """Begin a transaction and give it up."""
    database = _database(situation)
    if database is None or not database.is_file() or _damage(database):
        return
    said = refuses_writers(database, PATIENCE) if _writable(database) else ""
    if said:
        yield Symptom(
            f"nobody could write for {PATIENCE:g} s: {said}", str(database),
            f"end the process that holds it (fuser {database}), then cytobench track",
        )  # fmt: skip


@check(
    "D604", "the file is no database", "breaks",
    "It is damaged, or another program's; nothing can be mirrored to it.",
)  # fmt: skip
def no_database(situation: Situation) -> Iterator[Symptom]:
    """Read its table of contents."""
    database = _database(situation)
    if database is not None and database.is_file() and (said := _damage(database)):
        yield Symptom(said, str(database), "move it away; cytobench track --rebuild makes it anew")


@check(
    "D605", "the database is another MLflow's", "breaks",
    "Its tables are of an older or newer release than the installed MLflow, which refuses them.",
)  # fmt: skip
def other_schema(situation: Situation) -> Iterator[Symptom]:
    """Compare the revision of the tables with the last one that MLflow brings."""
    database = _database(situation)
    if database is None or not database.is_file() or _damage(database):
        return
    stored, wanted = _revision(database), wanted_revision()
    if stored is not None and wanted and stored != wanted:
        yield Symptom(
            f"its tables are of revision {stored or 'none'}, and MLflow wants {wanted}",
            str(database),
            f"mlflow db upgrade sqlite:///{database}; if it is newer, upgrade MLflow; or move it "
            "away and say cytobench track --rebuild",
        )


@check(
    "D606", "the database is on a network file system", "warning",
    "SQLite relies on locks that such file systems keep badly: it may be damaged when two write "
    "(https://sqlite.org/faq.html#q5).",
)  # fmt: skip
def distant_database(situation: Situation) -> Iterator[Symptom]:
    """Find the mount that the file lies on."""
    database = _database(situation)
    if database is None or not MOUNTS.is_file():
        return
    kind = file_system(database, MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if DISTANT.match(kind):
        yield Symptom(
            f"its file system is {kind}", str(database),
            "tracking.uri=sqlite:////tmp/mlflow.db, or an MLflow server: tracking.uri=http://...",
        )  # fmt: skip


@check(
    "D607", "the server does not answer", "breaks",
    "Results are stored, and not mirrored; `cytobench track` mirrors them later.",
)  # fmt: skip
def silent_server(situation: Situation) -> Iterator[Symptom]:
    """Ask the configured server, and no other, for its version."""
    uri = _uri(situation)
    if not is_server(uri):
        return
    try:
        told = _version_of(uri)
    except (OSError, ValueError) as error:
        yield Symptom(
            f"no answer within {SERVER_SECONDS:g} s: {getattr(error, 'reason', error)}", uri,
            "start it, or mend tracking.uri; HTTP proxies are taken from the environment",
        )  # fmt: skip
        return
    try:
        ours = version("mlflow")
    except PackageNotFoundError:
        return  # D102 says it
    if _major(told) != _major(ours):
        yield Symptom(
            f"it runs MLflow {told or '(unknown)'}, and {ours} is installed here", uri,
            "use the same major release on both sides",
        )  # fmt: skip


@check(
    "D608", "the folder of artifacts cannot be written", "breaks",
    "Runs get their numbers in MLflow, and no figures or pages.",
)  # fmt: skip
def unwritable_artifacts(situation: Situation) -> Iterator[Symptom]:
    """Make a file where artifacts would be written."""
    named = str(situation.tracking.get("artifacts") or "")
    if not named or "://" in named or _database(situation) is None:
        return
    place = nearest(situation.folder / named)
    if said := refusal(place):
        yield Symptom(said, str(place), "say tracking.artifacts=PATH")


def file_system(path: Path, mounts: str) -> str:
    """The type of the mount that a path lies on, after ``/proc/self/mounts``; else nothing."""
    found = ("", "")
    place = nearest(path).resolve()
    for line in mounts.splitlines():
        _, mount, kind, *_ = [*line.split(" "), "", "", ""]
        mount = mount.replace("\\040", " ")
        if place.is_relative_to(mount or "/") and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _uri(situation: Situation) -> str:
    tracked = situation.tracking.get("name") != "none"
    return str(situation.tracking.get("uri") or "") if tracked else ""


def _database(situation: Situation) -> Path | None:
    path = database_file(_uri(situation))
    return None if path is None else situation.folder / path


def _writable(database: Path) -> bool:
    try:
        with database.open("r+b"):
            return True
    except OSError:
        return False


def _damage(database: Path) -> str:
    """Why a file cannot be read as a database; empty where it can, or is locked."""
    try:
        stored_revision(database)
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return ""


def _revision(database: Path) -> str | None:
    """The revision of its tables; None where it is locked."""
    try:
        return stored_revision(database)
    except sqlite3.OperationalError:
        return None


def _version_of(uri: str) -> str:
    address = f"{uri.rstrip('/')}/version"
    with urllib.request.urlopen(address, timeout=SERVER_SECONDS) as answer:  # noqa: S310 - http(s)
        text = answer.read(200).decode(errors="replace").strip()
    return str(json.loads(text)) if text.startswith('"') else text


def _major(release: str) -> str:
    return release.partition(".")[0]
