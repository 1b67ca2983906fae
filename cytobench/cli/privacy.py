"""``cytobench audit --privacy [FOLDER ...]``: what a folder gives away, before it is shared."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.privacy.codes import Leak

SHOWN = 5
"""Places of one code in the terminal; ``--json`` has all."""
STYLES = {"block": "red", "warning": "yellow", "note": "dim"}


def audit_privacy(options: argparse.Namespace) -> int:
    """Audit folders; 1 where something blocks."""
    words = [word for word in (options.name, *options.overrides) if word is not None]
    folders = [word for word in words if "=" not in word] or ["runs"]
    overrides = [word for word in words if "=" in word]
    reports = {folder: _leaks(Path(folder), overrides, options.salt) for folder in folders}
    if options.json:
        import json

        said = [
            {"folder": folder, "findings": [_record(leak) for leak in leaks]}
            for folder, leaks in reports.items()
        ]
        console.say(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        for folder, leaks in reports.items():
            _show(folder, leaks)
    blocked = any(leak.severity == "block" for leaks in reports.values() for leak in leaks)
    return 1 if blocked else 0


def _leaks(folder: Path, overrides: Sequence[str], salt: str | None) -> list[Leak]:
    from cytobench.privacy.at_hand import cohorts_at_hand, salt_at
    from cytobench.privacy.audit import audit_folder
    from cytobench.privacy.knowledge import Knowledge, names_of_here

    secret = salt_at(folder, salt)
    cohorts, notes = cohorts_at_hand(folder, overrides)
    known = Knowledge(folder, cohorts, secret, names_of_here(), str(Path.home()))
    return [*audit_folder(known), *notes]


def _record(leak: Leak) -> Mapping[str, Any]:
    from cytobench.privacy.codes import CODES

    return {
        "code": leak.code,
        "severity": leak.severity,
        "title": CODES[leak.code].title,
        "message": leak.sentence,
        "where": leak.where,
        "hint": leak.hint,
    }


def _show(folder: str, leaks: Sequence[Leak]) -> None:
    from cytobench.privacy.codes import CODES

    console.say(folder, style="bold")
    for code in dict.fromkeys(leak.code for leak in leaks):
        of_code = [leak for leak in leaks if leak.code == code]
        about = CODES[code]
        console.say(f"{code}  {about.severity:<8}{about.title}", style=STYLES[about.severity])
        for leak in of_code[:SHOWN]:
            place = "" if leak.where == "." else f"{leak.where}: "
            console.say(f"      {place}{leak.sentence}")
        if len(of_code) > SHOWN:
            console.say(f"      and {len(of_code) - SHOWN} more places: --json lists them")
        console.say(f"      -> {about.hint}", style="dim")
    counts = [
        f"{sum(leak.severity == severity for leak in leaks)} {words}"
        for severity, words in (("block", "blocking"), ("warning", "warnings"), ("note", "notes"))
    ]
    console.say(", ".join(counts), style="bold")


def explain(*, as_json: bool) -> None:
    """List everything that is looked for."""
    from dataclasses import asdict

    from cytobench.cli.listing import list_codes
    from cytobench.privacy.codes import CODES

    list_codes(map(asdict, CODES.values()), as_json=as_json)
