"""What an audit knows before it looks: cohorts at hand, the salt, and the names of the machine."""

from __future__ import annotations

import getpass
import hashlib
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cytobench.core.hashing import pseudonyms
from cytobench.data.cohort import Cohort

SHORT = 4
"""Characters below which a name or identifier is no word of its own."""
DIGITS = 7
"""A number of fewer digits stands everywhere, and is looked for in columns of patients only."""
COMMON = frozenset({"admin", "localhost", "root", "runner", "test", "ubuntu", "user", "users"})
"""Names of users and machines that name nobody."""
WORD = re.compile(r"[\w.:@+-]+")
PATIENT = re.compile(
    r"(?i)\b(patient|subject|participant|record|case|person|individual|sample|mrn|nhs)"
    r"([_ .-]?(id|no|nr|nummer|number|code|name))?\b|^(id|pid|sid|src_subject_id)$"
)
"""Titles of columns that name patients."""


@dataclass(frozen=True)
class Knowledge:
    """What files are held against.

    Attributes
    ----------
    root : Path
        The folder that is audited.
    cohorts : sequence of Cohort
    salt : bytes or None
    people : sequence of str
        Login and host names of where the audit runs.
    home : str
        The home folder.
    """

    root: Path
    cohorts: Sequence[Cohort] = ()
    salt: bytes | None = None
    people: Sequence[str] = ()
    home: str = ""

    @cached_property
    def identifiers(self) -> Mapping[str, str]:
        """Identifier -> name of its cohort."""
        return {patient: cohort.name for cohort in self.cohorts for patient in cohort.patients}

    @cached_property
    def named(self) -> frozenset[str]:
        """Identifiers that are long enough to stand for nothing else."""
        return frozenset(
            name for name in self.identifiers if len(name) >= (DIGITS if name.isdigit() else SHORT)
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Identifiers that are one word, and long enough to stand for nothing else."""
        return frozenset(name for name in self.named if WORD.fullmatch(name))

    @cached_property
    def phrases(self) -> Sequence[str]:
        """Identifiers with blanks, slashes and the like."""
        return [name for name in self.named if not WORD.fullmatch(name)]

    @cached_property
    def features(self) -> frozenset[str]:
        """Columns of the cohorts that models may see."""
        return frozenset(
            column
            for cohort in self.cohorts
            for column in cohort.baseline_columns(("analytes", "clinical"))
        )

    @cached_property
    def sizes(self) -> frozenset[int]:
        """Numbers of patients: a table with as many rows has one for each."""
        return frozenset(len(cohort) for cohort in self.cohorts)

    def guessable(self, length: int) -> frozenset[str]:
        """What the plain hashes of all identifiers begin with, in so many hexadecimal digits."""
        if length not in self._beginnings:
            self._beginnings[length] = frozenset(text[:length] for text in self._hashes)
        return self._beginnings[length]

    @cached_property
    def _beginnings(self) -> dict[int, frozenset[str]]:
        """What was asked for before: every file asks again."""
        return {}

    @cached_property
    def _hashes(self) -> Sequence[str]:
        plain: Sequence[Callable[[bytes], str]] = [
            lambda raw: hashlib.sha256(raw).hexdigest(),
            lambda raw: hashlib.sha1(raw, usedforsecurity=False).hexdigest(),
            lambda raw: hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        ]
        found = [each(name.encode()) for name in self.identifiers for each in plain]
        return [*found, *pseudonyms(self.identifiers, b"")]

    def expected(self, fingerprint: str) -> frozenset[str] | None:
        """The pseudonyms of a cohort under the salt; None where one of the two is not at hand."""
        cohort = next((item for item in self.cohorts if item.fingerprint == fingerprint), None)
        if cohort is None or self.salt is None:
            return None
        return frozenset(pseudonyms(cohort.patients, self.salt))


def names_of_here() -> list[str]:
    """Login and host names that name somebody."""
    found = [platform.node().partition(".")[0]]
    with suppress(OSError, KeyError):  # a container's user may have no name
        found.append(getpass.getuser())
    return [name for name in found if len(name) >= SHORT and name.casefold() not in COMMON]
