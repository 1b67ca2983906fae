"""Stored texts hold no folder of the machine and no password."""

from cytobench.core.places import elsewhere
from cytobench.run.provenance import command_line


def test_folders_are_named_from_where_one_is_or_lives(tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "study")

    said = elsewhere(f"{tmp_path}/study/plugins/a.py imports {tmp_path}/lib/b.py, not /usr/c.py")

    assert said == "./plugins/a.py imports ~/lib/b.py, not /usr/c.py"


def test_the_command_that_is_stored_has_no_password():
    command = command_line(["suite=quickstart", "tracking.uri=postgresql://me:hunter2@db/mlflow"])

    assert "hunter2" not in command
    assert "tracking.uri=postgresql://***@db/mlflow" in command
