"""Servers as a team has them, on this machine alone: PostgreSQL, and MLflow in front of it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from cytobench.tracking import server

REPOSITORY = Path(__file__).parents[2]
TEAM = REPOSITORY / "docs" / "team"
PASSWORD = "dbs3cret-word"
LOOPBACK = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))


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


def composed(given: Mapping[str, str]) -> dict[str, Any]:
    """The services of ``docs/team/compose.yaml``, variables replaced as Compose replaces them."""
    text = (TEAM / "compose.yaml").read_text(encoding="utf-8")

    def value(match: re.Match[str]) -> str:
        name, _, rule = match[1].partition(":")
        found = given.get(name, "")
        if not found and rule.startswith("?"):
            raise KeyError(f"{name}: {rule[1:]}")
        return found or rule.removeprefix("-")

    services: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{([^}]*)\}", value, text))["services"]
    return services


@contextmanager
def mlflow(database: str, folder: Path, artifacts: str = "", **given: str) -> Iterator[str]:
    """The server of ``docs/team/compose.yaml`` as a process of this machine; its address.

    It has the file's command and variables; database, folders and port are those of the test.
    """
    port = free_port()
    secrets = {"POSTGRES_PASSWORD": PASSWORD, "MLFLOW_SECRET_KEY": "flask-s3cret-word"}
    service = composed({**secrets, "ARTIFACTS": artifacts, **given})["mlflow"]
    accounts = (TEAM / "basic_auth.ini").read_text(encoding="utf-8")
    (folder / "basic_auth.ini").write_text(
        accounts.replace("/mlflow/users.db", f"{folder}/users.db")
    )
    changed = {
        "--host=0.0.0.0": f"--host={server.HOST}",
        "--port=5000": f"--port={port}",
        "--workers=2": "--workers=1",
        "--artifacts-destination=/mlflow/artifacts": f"--artifacts-destination={folder}/artifacts",
    }
    words = [changed.get(word, word) for word in service["command"]]
    variables = {name: str(text) for name, text in service["environment"].items() if text}
    variables["MLFLOW_AUTH_CONFIG_PATH"] = str(folder / "basic_auth.ini")
    with pytest.MonkeyPatch.context() as patch:
        for name, text in variables.items():
            patch.setenv(name, text)
        patch.chdir(folder)
        with server.running([sys.executable, "-m", *words], database, port):
            (check,) = [word for word in service["healthcheck"]["test"] if "import" in word]
            subprocess.run(
                [sys.executable, "-c", check.replace("127.0.0.1:5000", f"127.0.0.1:{port}")],
                check=True,
            )
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
