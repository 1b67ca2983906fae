"""What may come of hostile input: a refusal with a code, or what was meant; nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from cytobench.core.errors import CytobenchError

LONGEST_ANSWER = 20_000
"""Characters that a person is shown of one error, whatever the input was."""


class Answer(Enum):
    """What came of one input."""

    REFUSED = "refused"
    RIGHT = "right"
    READ = "read"
    """Accepted, where what was meant is not known: bytes were changed anywhere."""


@dataclass(frozen=True)
class Family:
    """One kind of hostile input.

    Attributes
    ----------
    attempt : callable
        Draws one input, throws it at the code below a folder of its own, and checks the answer.
    seen : str
        What a person sees of it, for the record.
    share : float
        Of the usual number of examples: a family whose example takes long has fewer.
    """

    name: str
    attempt: Callable[[Any, Path], Answer]
    what: str
    seen: str
    share: float = 1.0


FAMILIES: dict[str, Family] = {}


def family(name: str, what: str, seen: str, *, share: float = 1.0) -> Callable[[Any], Any]:
    """Enter a function as a family."""

    def enter(function: Callable[[Any, Path], Answer]) -> Callable[[Any, Path], Answer]:
        FAMILIES[name] = Family(name, function, what, seen, share)
        return function

    return enter


def answer(action: Callable[[], Any], right: Callable[[Any], None] | None) -> Answer:
    """Refused with words that a person can act on, or accepted and right, where that is known."""
    try:
        found = action()
    except CytobenchError as error:
        check_words(error)
        return Answer.REFUSED
    if right is None:
        return Answer.READ
    right(found)
    return Answer.RIGHT


def check_words(error: CytobenchError) -> None:
    """A code, a message of some length, and not the whole input back."""
    assert re.fullmatch(r"[EWB]\d{3}", error.code), error.code
    assert error.message.strip(), error.code
    assert len(str(error)) <= LONGEST_ANSWER, (error.code, len(str(error)))
