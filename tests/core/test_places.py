"""Stored texts hold no folder of the machine and no password."""

import pytest

from cytobench.core.places import elsewhere, without_password
from cytobench.run.provenance import command_line


def test_folders_are_named_from_where_one_is_or_lives(tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "study")

    said = elsewhere(f"{tmp_path}/study/plugins/a.py imports {tmp_path}/lib/b.py, not /usr/c.py")

    assert said == "./plugins/a.py imports ~/lib/b.py, not /usr/c.py"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:hunter2@db:5432/mlflow", "postgresql://me:***@db:5432/mlflow"),
        ("https://:tok/en@host", "https://:tok/en@host"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_only_the_password_of_an_address_is_hidden(address, shown):
    assert without_password(address) == shown


def test_the_command_that_is_stored_has_no_password():
    command = command_line(["suite=quickstart", "tracking.uri=postgresql://me:hunter2@db/mlflow"])

    assert "hunter2" not in command
    assert "tracking.uri=postgresql://me:***@db/mlflow" in command
