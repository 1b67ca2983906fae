"""Everything that a command looks for, listed by code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from cytobench import console


def list_codes(known: Iterable[Mapping[str, str]], *, as_json: bool) -> None:
    """Print codes with their severity and what they mean, as text or as JSON."""
    listed = list(known)
    if as_json:
        console.say(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    for item in listed:
        head = f"{item['code']}  {item['severity']:<8}"
        console.paragraph(f"{head}{item['title']}. {item['explanation']}")
