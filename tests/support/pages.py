"""Pages of the documentation, acted out: their files are written, their commands run, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SMALL = Path(__file__).with_name("small.py")
FENCE = re.compile(
    r"^(?:(?P<indent> *)<!-- not run: (?P<reason>.+?) -->\n)?"
    r"(?P<margin> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=margin)```$",
    re.DOTALL | re.MULTILINE,
)
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
FILE = re.compile(r"(?:#!.*\n)?# ((?:plugins|conf|tests|scripts)/\S+)\n")
"""The first line (after ``#!``) of a block that is a file: where it goes."""
ACTED = ("python", "console", "bash")


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is written in, and why it is not run, where it says so."""

    page: str
    section: str
    line: int
    language: str
    text: str
    reason: str | None

    @property
    def file(self) -> str | None:
        """Where the block goes, if it is a file."""
        found = FILE.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[str]:
        """Of a console: what is typed. A command goes on after a backslash."""
        joined = self.text.replace("\\\n", " ")
        return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        """Of a console: what is printed; ``...`` stands for anything."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line and not line.startswith("$ ")]


def steps(block: Block) -> list[Block]:
    """A console command by command, each with what is printed after it."""
    return [
        replace(block, text=text) for text in re.split(r"^(?=\$ )", block.text, flags=re.M) if text
    ]


def pages() -> list[str]:
    """Everything that is written for people, from the repository's root."""
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in found)


def blocks(page: str) -> list[Block]:
    """A page's fenced blocks in order."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            ["", *SECTION.findall(text, 0, found.start())][-1],
            text[: found.start()].count("\n") + 1,
            found["language"],
            textwrap.dedent(found["text"]),
            found["reason"],
        )
        for found in FENCE.finditer(text)
    ]


def loosely(line: str) -> str:
    """A printed line without what differs between machines: numbers and spacing."""
    return re.sub(r"\s+", " ", re.sub(r"[+-]?\d+(\.\d+)?", "#", line)).strip()


@dataclass
class Reader:
    """Somebody who does what a page says, in an empty folder.

    ``cytobench`` on the path is `small.py`, which makes runs small; everything else is real.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        commands = self.folder.parent / f"{self.folder.name}-bin"
        commands.mkdir()
        for name, target in (("python", ""), ("cytobench", f" {SMALL}")):
            path = commands / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}"{target} "$@"\n')
            path.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
            **self.environment,
        }

    def act(self, block: Block) -> str:
        """Do one block; what was printed.

        Raises
        ------
        AssertionError
            Where a command fails, or does not print what the page shows.
        """
        if block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            return ""
        if block.language == "python":
            # MLflow and its libraries warn of each other.
            strict = [] if "import mlflow" in block.text else ["-W", "error"]
            return self._run([sys.executable, *strict, "-c", block.text], block)
        if block.language == "bash":
            return self._run(["bash", "-euo", "pipefail", "-c", block.text], block)
        if block.language != "console":
            return ""
        typed = "\n".join(block.commands)
        printed = self._run(["bash", "-euo", "pipefail", "-c", typed], block)
        known = [loosely(line) for line in printed.splitlines()]
        for line in block.shown:
            parts = map(re.escape, re.split(r" ?\.\.\. ?", loosely(line)))
            pattern = re.compile(".*".join(parts))
            assert any(map(pattern.search, known)), (
                f"{block.page}:{block.line}: not printed: {line}\n{printed}"
            )
        return printed

    def _run(self, words: list[str], block: Block) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, check=False, timeout=900, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        where = f"{block.page}:{block.line}:\n{block.text}\n{done.stdout}"
        assert done.returncode == 0, where
        assert "Traceback" not in done.stdout, where
        return done.stdout
