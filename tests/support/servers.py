"""Servers as a team has them, on this machine alone: PostgreSQL, and MLflow in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from cytobench.tracking import server

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "dbs3cret-word"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _programs() -> Path:
    """The folder of PostgreSQL's programs; the test is skipped where it is not installed."""
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'cytobench[postgresql]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("PostgreSQL is not installed: there is no initdb")
    return Path(initdb).parent


@contextmanager
def postgresql() -> Iterator[str]:
    """A fresh database; its address, with the password that it asks for."""
    programs, port = _programs(), free_port()
    # PostgreSQL refuses to run as root: there its own user does.
    as_whom = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_whom and subprocess.run(["id", "postgres"], capture_output=True).returncode:
        pytest.skip("this is root, and there is no user postgres to run PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="cytobench-postgresql-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if as_whom:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")

        def run(program: str, *words: str) -> None:
            subprocess.run(
                [*as_whom, str(programs / program), "-D", str(folder / "data"), *words],
                cwd=folder, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip

        run(
            "initdb", "-U", "mlflow", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://mlflow:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


@contextmanager
def mlflow(
    database: str, artifacts: str, more: tuple[str, ...] = (), **environment: str
) -> Iterator[str]:
    """A tracking server in front of a database; its address."""
    port = free_port()
    words = [*server.command(artifacts, port), *more]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with server.running(words, database, port):
            yield f"http://{server.HOST}:{port}"


def everything_in(database: str) -> Mapping[str, str]:
    """Table -> all that is in it, as text."""
    import psycopg

    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ).fetchall()
        return {
            table: str(connection.execute(f'select * from "{table}"').fetchall())
            for (table,) in tables
        }
