"""Every code that the sources raise is met by a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CODE = r"(?:CB|[ADEPW])\d{3}"
RAISED = re.compile(rf"({CODE})\Z|\[({CODE})\] ")
"""A code alone, or before the words of a failure: other strings only speak of one."""


def strings(path: Path) -> Iterator[str]:
    """Literal texts of a file, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if text and id(node) not in docstrings:
            yield node.value


def raised() -> dict[str, Path]:
    """Code -> a file that raises it."""
    found: dict[str, Path] = {}
    for folder in ("cytobench", "plugins"):
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            for text in strings(path):
                if match := RAISED.match(text):
                    found[match[1] or match[2]] = path.relative_to(REPOSITORY)
    return found


def test_every_code_is_met_by_a_test():
    tested = {
        code
        for path in (REPOSITORY / "tests").rglob("*.py")
        for text in strings(path)
        for code in re.findall(rf"\b{CODE}\b", text)
    }

    found = raised()

    assert len(found) > 300, "the sources are read"
    assert [f"{code} ({found[code]})" for code in sorted(found) if code not in tested] == []
