"""What a bundle's JSON members look like: every field, its kind and its range; nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cytobench.submission.codes import refusal

FORMAT, VERSION = "cytobench bundle", 1
MOST_FOLDS = 2000
MOST_PATIENTS = 1_000_000
HEX = re.compile(r"[0-9a-f]{64}\Z")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")
PLACE = re.compile(r"[A-Za-z0-9_+.-]{1,160}\Z")
"""A suite or an entry: it becomes a folder and a file name."""
Rule = Callable[[Any, str], None]


def _must(condition: bool, expected: str, value: Any, at: str) -> None:
    if not condition:
        raise refusal("E721", f"is {str(value)[:60]!r}, expected {expected}", at)


def matching(pattern: re.Pattern[str], expected: str) -> Rule:
    """Text of a form."""

    def rule(value: Any, at: str) -> None:
        _must(isinstance(value, str) and bool(pattern.match(value)), expected, value, at)

    return rule


def text(value: Any, at: str) -> None:
    """Any text."""
    _must(isinstance(value, str), "a text", value, at)


def truth(value: Any, at: str) -> None:
    """True or false."""
    _must(isinstance(value, bool), "true or false", value, at)


def whole(low: int, high: int) -> Rule:
    """A whole number in a range."""

    def rule(value: Any, at: str) -> None:
        right = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        _must(right, f"a whole number from {low} to {high}", value, at)

    return rule


def number(low: float = -1e9, high: float = 1e9) -> Rule:
    """A finite number in a range; beyond it the code is ``E725``."""

    def rule(value: Any, at: str) -> None:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        _must(right, "a number", value, at)
        # A whole number may be too long for a float.
        if not (abs(value) < 10**300 and math.isfinite(value) and low <= value <= high):
            raise refusal("E725", f"is beyond {low:g} to {high:g}", at)

    return rule


def one_of(*options: str) -> Rule:
    """One of some words."""

    def rule(value: Any, at: str) -> None:
        _must(value in options, f"one of {', '.join(options)}", value, at)

    return rule


def optional(inner: Rule) -> Rule:
    """Null, or what another rule says."""

    def rule(value: Any, at: str) -> None:
        if value is not None:
            inner(value, at)

    return rule


def several(inner: Rule, most: int) -> Rule:
    """A list."""

    def rule(value: Any, at: str) -> None:
        _must(isinstance(value, list) and len(value) <= most, f"a list of up to {most}", value, at)
        for position, item in enumerate(value):
            inner(item, f"{at}[{position}]")

    return rule


def each(inner: Rule, most: int = 2000) -> Rule:
    """An object whose values all follow one rule."""

    def rule(value: Any, at: str) -> None:
        _must(
            isinstance(value, dict) and len(value) <= most, f"an object of up to {most}", value, at
        )
        for key, item in value.items():
            inner(item, f"{at}.{key}")

    return rule


def fields(rules: Mapping[str, Rule], may_lack: Sequence[str] = ()) -> Rule:
    """An object with these fields and no other."""

    def rule(value: Any, at: str) -> None:
        _must(isinstance(value, dict), "an object", value, at)
        missing = [name for name in rules if name not in value and name not in may_lack]
        unknown = [name for name in value if name not in rules]
        if missing or unknown:
            said = f"lacks {missing[0]!r}" if missing else f"has an unknown field {unknown[0]!r}"
            raise refusal("E721", said[:120], at)
        for name, item in value.items():
            rules[name](item, f"{at}.{name}")

    return rule


def plain(value: Any, at: str) -> None:
    """Any plain data; numbers within reason."""
    if isinstance(value, dict):
        each(plain)(value, at)
    elif isinstance(value, list):
        several(plain, 10_000)(value, at)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number()(value, at)


def named(value: Any, at: str) -> None:
    """Plain data with a name."""
    each(plain)(value, at)
    _must("name" in value, "an object with a name", value, at)
    word(value["name"], f"{at}.name")


def model_node(value: Any, at: str) -> None:
    """The configuration of a model: of a plugin by name, or of anything importable."""
    each(plain)(value, at)
    _must("name" in value or "_target_" in value, "an object with a name", value, at)


hexadecimal = matching(HEX, "64 hexadecimal digits")
word = matching(WORD, "letters, digits and underscores")
place = matching(PLACE, "letters, digits, underscores, dots, hyphens")
count = whole(0, MOST_PATIENTS)

MANIFEST = fields(
    {
        "format": one_of(FORMAT),
        "schema": whole(1, 10_000),
        "created_by": each(text, 20),
        "members": each(fields({"bytes": whole(0, 2**31), "sha256": hexadecimal})),
    }
)
CARD = fields(
    {
        "name": word,
        "summary": text,
        "role": one_of("model", "floor"),
        "version": text,
        "licence": text,
        "citation": text,
        "inputs": several(one_of("analytes", "clinical"), 2),
        "transductive": truth,
    }
)
PLUGIN = fields(
    {"source": hexadecimal, "file": hexadecimal, "parts": several(hexadecimal, 50), "why": text}
)
ENVIRONMENT = fields({"versions": each(text, 50), "platform": text})
SCORES = each(
    fields({"value": optional(number()), "low": optional(number()), "high": optional(number())}),
    100,
)
CELL = fields(
    {
        "key": hexadecimal,
        "suite": place,
        "entry": place,
        "framework": hexadecimal,
        "store_schema": whole(1, 10_000),
        "permitted": text,
        "about": fields(
            {
                "folds": whole(1, MOST_FOLDS),
                "dataset": fields(
                    {
                        **dict.fromkeys(
                            (
                                "summary", "population", "outcome", "treatment", "assignment",
                                "cohort", "version", "licence", "citation", "caveat", "access",
                            ),
                            text,
                        ),
                        "name": matching(PLACE, "a dataset's name"),
                        "kind": one_of("real", "simulated"),
                        "fingerprint": hexadecimal,
                        "patients": count,
                        "analytes": count,
                        "notes": several(text, 200),
                    },
                    may_lack=("cohort",),
                ),
                "task": fields(
                    {
                        "name": one_of("response", "remission", "percent_change"),
                        "kind": one_of("classification", "regression"),
                        "meaning": text,
                        "minimum_reduction": optional(number(0, 1)),
                        "remission_at": optional(number(0, 1000)),
                        "thresholds": several(number(0, 1), 2),
                        "decide_at": number(0, 1),
                    },
                    may_lack=("minimum_reduction", "remission_at", "thresholds", "decide_at"),
                ),
                "n": count,
                "events": optional(count),
                "outcome_mean": number(),
                "protocol": named,
                "plan": hexadecimal,
                "permutation": whole(0, 10**9),
                "shift": optional(each(plain)),
                "test_labels": several(text, MOST_FOLDS),
                "beside": each(text, MOST_FOLDS),
                "notes": several(text, 200),
                "audit": optional(several(each(optional(text)), 200)),
                "config": fields(
                    {
                        "model": model_node,
                        "preprocess": named,
                        "tuning": fields(
                            {
                                "sampler": one_of("tpe", "random", "qmc", "none"),
                                "trials": whole(0, 100_000),
                                "seconds": optional(number(0)),
                                "metric": text,
                                "batched": truth,
                                "name": text,
                            },
                            may_lack=("name",),
                        ),
                        "seed": whole(0, 2**63),
                        "device": text,
                    }
                ),
            }
        ),
    }
)  # fmt: skip
FOLD = fields(
    {
        "cell": hexadecimal,
        "fingerprint": hexadecimal,
        "plan": hexadecimal,
        "fold": whole(0, MOST_FOLDS),
        "repeat": whole(0, MOST_FOLDS),
        "n_train": count,
        "params": each(plain),
        "trials": several(
            fields(
                {
                    "number": whole(0, 100_000),
                    "params": each(plain),
                    "score": optional(number()),
                    "seconds": number(0),
                    "error": one_of("", "failed"),
                }
            ),
            100_000,
        ),
        "threshold": optional(number()),
        "train_mean": number(),
        "timings": each(number(0), 20),
        "features": several(text, 20_000),
        "parameters": whole(0, 10**7),
        "left_out": each(number(0, 1), 20_000),
    }
)
