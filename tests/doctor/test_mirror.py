"""The database or the server of MLflow."""

import http.server
import sqlite3
import threading
from contextlib import closing

import pytest

from cytobench.doctor import mirror
from cytobench.tracking.client import create_database
from cytobench.tracking.schema import stored_revision, wanted_revision

# MLflow's own mappings, as in tests/tracking.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database as MLflow makes it."""
    path = tmp_path_factory.mktemp("made") / "mlflow.db"
    create_database(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(made, working_directory):
    """A copy of it in the working directory."""
    path = working_directory / "mlflow.db"
    path.write_bytes(made.read_bytes())
    return path


@pytest.fixture
def tracked(situation):
    """``tracked("http://...")``: a situation that mirrors to an address."""

    def build(uri="sqlite:///mlflow.db", artifacts="mlartifacts"):
        return situation(tracking={"name": "mlflow", "uri": uri, "artifacts": artifacts})

    return build


def test_a_database_that_mlflow_has_just_made_has_no_findings(tracked, findings, database):
    codes = ("D601", "D602", "D603", "D604", "D605", "D606", "D607", "D608")

    assert [item for code in codes for item in findings(code, tracked())] == []


def test_the_revision_read_from_mlflows_files_is_the_one_that_it_writes(made):
    assert wanted_revision() == stored_revision(made) != ""


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sqlite://mlflow.db", "too few slashes"),
        ("mlflow.db", "is a folder or file"),
        ("./mlruns", "is a folder or file"),
        ("ftp://somewhere", "knows no ftp://"),
        ("mysql://somewhere/mlflow", "needs the module MySQLdb"),
    ],
)
def test_an_address_that_mlflow_does_not_take_is_named(tracked, finding, uri, said):
    assert said in finding("D601", tracked(uri)).sentence


def test_a_database_in_a_folder_that_cannot_be_written_is_named(tracked, finding):
    assert finding("D602", tracked("sqlite:////proc/mlflow.db")).where == "/proc"


def test_a_locked_database_is_named(tracked, finding, database, monkeypatch):
    monkeypatch.setattr(mirror, "PATIENCE", 0.1)
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        found = finding("D603", tracked())

    assert "database is locked" in found.sentence
    assert found.where == str(database)


def test_a_file_that_is_no_database_is_named_once(tracked, finding, findings, working_directory):
    (working_directory / "mlflow.db").write_text("not a database at all, just some text" * 50)

    assert finding("D604", tracked()).sentence == "file is not a database"
    assert findings("D603", tracked()) == findings("D605", tracked()) == []


@pytest.mark.parametrize("revision", ["0123456789ab", None])
def test_tables_of_another_mlflow_are_named(tracked, finding, database, revision):
    with closing(sqlite3.connect(database)) as connection, connection:
        if revision:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        else:
            connection.execute("DROP TABLE alembic_version")

    found = finding("D605", tracked())

    assert f"of revision {revision or 'none'}" in found.sentence
    assert "mlflow db upgrade" in found.hint


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "lustre"])
def test_a_database_on_a_network_file_system_is_named(
    tracked, finding, monkeypatch, tmp_path, kind
):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/home {tmp_path} {kind} rw 0 0\n")
    monkeypatch.setattr(mirror, "MOUNTS", mounts)

    assert finding("D606", tracked()).sentence == f"its file system is {kind}"


@pytest.mark.parametrize("kind", ["ext4", "xfs", "overlay", "tmpfs", "apfs", "fuse"])
def test_local_file_systems_are_fine(kind):
    assert not mirror.DISTANT.match(kind)


def test_the_innermost_mount_decides(tmp_path):
    folder = tmp_path / "with blank"
    folder.mkdir()
    shown = str(folder).replace(" ", "\\040")
    mounts = f"a / ext4 rw 0 0\nb {shown} nfs rw 0 0\nc /unrelated cifs rw 0 0"

    assert mirror.file_system(folder / "mlflow.db", mounts) == "nfs"
    assert mirror.file_system(tmp_path / "mlflow.db", mounts) == "ext4"


def test_a_server_that_does_not_answer_is_named(tracked, finding):
    found = finding("D607", tracked("http://127.0.0.1:9"))

    assert "refused" in found.sentence


@pytest.mark.parametrize(("release", "expected"), [("1.30.0", 1), ("3.99.0", 0)])
def test_a_server_of_another_major_release_is_named(tracked, findings, release, expected):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(release.encode())

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        found = findings("D607", tracked(f"http://127.0.0.1:{server.server_port}"))
        thread.join()

    assert len(found) == expected


def test_a_folder_of_artifacts_that_cannot_be_written_is_named(tracked, finding):
    assert finding("D608", tracked(artifacts="/proc/artifacts")).where == "/proc"


def test_without_tracking_nothing_is_looked_at(situation, findings, working_directory):
    (working_directory / "mlflow.db").write_text("no database")

    where = situation(tracking={"name": "none"})

    assert [item for code in ("D601", "D602", "D604") for item in findings(code, where)] == []
