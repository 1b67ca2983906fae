"""A healthy situation, and which codes the doctor finds in one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cytobench.doctor import Finding, Situation, checks
from cytobench.doctor.examination import PLAIN


@pytest.fixture
def situation(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Situation]:
    """``situation(store=..., environment={...})``: a fresh folder, with these settings changed."""
    home = working_directory / "home"
    home.mkdir()

    def build(environment: dict[str, str] | None = None, **settings: Any) -> Situation:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("CYTOBENCH")
        }
        variables = {**inherited, "HOME": str(home), **(environment or {})}
        return Situation(variables, working_directory, {**PLAIN, **settings})

    return build


@pytest.fixture
def findings() -> Callable[[str, Situation], list[Finding]]:
    """``findings("D501", situation)``: what the check of that code finds."""

    def look(code: str, where: Situation) -> list[Finding]:
        return list(checks()[code](where))

    return look


@pytest.fixture
def finding(findings: Callable[..., list[Finding]]) -> Callable[[str, Situation], Finding]:
    """The one thing that a check finds; it says what to do."""

    def look(code: str, where: Situation) -> Finding:
        (found,) = findings(code, where)
        assert found.code == code
        assert found.hint, "a finding says what to do about it"
        return found

    return look


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``distribution("dask", "1.0", "toolz>=9")``: metadata that are found before the real ones."""
    place = tmp_path / "installed"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))

    def plant(name: str, release: str, *needs: str, files: tuple[str, ...] = ()) -> Path:
        folder = place / f"{name.replace('-', '_')}-{release}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {release}"]
        lines += [f"Requires-Dist: {need}" for need in needs]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for file in files:
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).touch()
        (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")
        return folder

    return plant
