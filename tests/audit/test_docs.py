"""The page on the audit lists the checks that there are, word for word."""

from __future__ import annotations

from pathlib import Path

from cytobench.audit.findings import checks

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def test_every_check_is_on_the_page():
    for code, check in checks().items():
        row = f"| {code} | {check.severity} | {check.title} | {check.explanation}"
        assert row in PAGE, f"docs/audit.md lacks: {row}"


def test_the_page_lists_no_other_code():
    listed = {line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| A")}

    assert listed == set(checks())
