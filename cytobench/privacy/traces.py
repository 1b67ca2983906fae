"""Traces of the machine: home folders, names of users and hosts, passwords and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cytobench.core.secrets import NAMED
from cytobench.privacy.codes import Leak
from cytobench.privacy.knowledge import WORD, Knowledge
from cytobench.privacy.material import Item

HOME = re.compile(
    r"(?<![\w.])/(?:home|Users)/[^/\s\"'<>:,;]+|(?<![\w.])/root/|[A-Za-z]:\\{1,2}Users\\{1,2}\w+"
)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@\"'<>]*:(?!\*+@)[^/\s@\"'<>]+@[\w.-]+")
SETTING = re.compile(
    rf"(?i)(?<![a-z])(?:{NAMED})[\"']?\s*[:=]\s*(?:(?:bearer|basic)\s+)?"
    r"[\"']?(?!null\b|none\b|true\b|false\b|\*+|\$\{)"
    r"[\w+/=.~-]{6,}"
)
KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b"
    r"|\bhf_[A-Za-z0-9]{30,}\b"
)


def paths(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Absolute paths into home folders."""
    count = len(HOME.findall(item.text))
    if len(known.home) > 1 and not HOME.match(f"{known.home}/"):
        count += item.text.count(f"{known.home}/")
    if count:
        yield Leak(
            "P130", f"{count} {'path' if count == 1 else 'paths'} in a home folder", item.where
        )


def people(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Login and host names, as words of their own."""
    if not known.people:
        return
    words = {part for word in WORD.findall(item.text) for part in re.split(r"[.:@+]", word)}
    count = sum(name in words for name in known.people)
    if count:
        yield Leak("P131", f"{count} of {len(known.people)} names of this machine", item.where)


def credentials(item: Item, known: Knowledge) -> Iterator[Leak]:
    """What opens something."""
    del known
    for kind, pattern in (
        ("an address with a password", ADDRESS),
        ("a setting with a secret", SETTING),
        ("a key", KEYS),
    ):
        if pattern.search(item.text):
            yield Leak("P132", kind, item.where)
