"""The page on privacy lists what is looked for, word for word."""

from __future__ import annotations

from pathlib import Path

from cytobench.privacy.codes import CODES

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_every_code_is_on_the_page():
    for code in CODES.values():
        row = f"| {code.code} | {code.severity} | {code.title} | {code.explanation} |"
        assert row in PAGE, f"docs/privacy.md lacks: {row}"


def test_the_page_lists_no_other_code():
    listed = {line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| P")}

    assert listed == set(CODES)
