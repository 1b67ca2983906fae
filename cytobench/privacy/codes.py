"""The register of what may not leave with a shared folder; docs/privacy.md is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cytobench.evaluate.cohort_facts import FEWEST

Severity = Literal["block", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("block", "warning", "note")


@dataclass(frozen=True)
class Code:
    """One entry of the register.

    Attributes
    ----------
    explanation : str
        What was looked for, and why it matters.
    hint : str
        What to do about it.
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    hint: str


@dataclass(frozen=True)
class Leak:
    """Something found; the value itself is never repeated.

    Attributes
    ----------
    sentence : str
        What was found, in numbers.
    where : str
        File, table and column, relative to the folder.
    """

    code: str
    sentence: str
    where: str

    @property
    def severity(self) -> Severity:
        """Whether the folder may be shared all the same."""
        return CODES[self.code].severity

    @property
    def hint(self) -> str:
        """What to do about it."""
        return CODES[self.code].hint


_ALL = (
    Code(
        "P101",
        "block",
        "identifiers of patients",
        "Identifiers of a cohort that is at hand stand in a file: every text and every table is "
        "searched. Short numbers are looked for in columns of patients only.",
        "delete the file, or make it anew with this release",
    ),
    Code(
        "P102",
        "block",
        "hashes of identifiers that anybody can compute",
        "An identifier's sha256, sha1 or md5, or its keyed hash under an empty key, twelve digits "
        "or more of it: who guesses identifiers finds them all.",
        "hash with a secret salt, as the run store does",
    ),
    Code(
        "P103",
        "block",
        "patients under names that are no pseudonyms of this store",
        "A column of patients holds something else than 16 hexadecimal digits, or, where cohort "
        "and salt are at hand, other ones than the salt gives.",
        "delete these cells and run them again; one store has one salt",
    ),
    Code(
        "P104",
        "block",
        "the salt lies in the folder",
        "With the salt, who has a list of identifiers can tell which pseudonym is whose.",
        "share a copy without it: cp -r runs shared && rm shared/salt; keep the salt, and "
        "--salt FILE tells the audit where it is",
    ),
    Code(
        "P105",
        "block",
        "others can read the salt",
        "The salt is for its owner alone (mode 600).",
        "chmod 600 on the salt",
    ),
    Code(
        "P106",
        "warning",
        "every user of the machine can read patients' rows",
        "Files with a row for each patient, or a database with what SQLite keeps beside it (-wal, "
        "-journal), are readable by others, or the folder is writable.",
        "chmod -R o-rwx on the folder",
    ),
    Code(
        "P110",
        "block",
        "raw values of features",
        "A table with a row for each patient has columns of the cohort, or columns that no file "
        "of predictions has.",
        "delete it: predictions are enough for every number",
    ),
    Code(
        "P111",
        "warning",
        "a column that tells nearly everybody apart",
        "In a table of patients, text that differs in nine of ten rows identifies them, whatever "
        "it is called. So do features, where a covariate has a column for each of twenty values or "
        "more.",
        "leave the column out, or coarsen it",
    ),
    Code(
        "P112",
        "block",
        "dates of birth",
        "A column, field or entry that is called so, a table of patients with a column of dates, "
        "or a feature that is named after a date.",
        "keep the age in years, or an age group",
    ),
    Code(
        "P113",
        "warning",
        "free text about single patients",
        "Sentences, different in most rows of a table of patients, or as names of features: a "
        "covariate of text is a column for each of its values. Anything may be in them.",
        "leave the column out",
    ),
    Code(
        "P120",
        "block",
        f"a number speaks of fewer than {FEWEST} patients",
        "A count of patients in a cell, group, level or site. Zero is no patient.",
        "make the file anew with this release; merge small groups",
    ),
    Code(
        "P130",
        "warning",
        "folders of this machine",
        "Absolute paths into a home folder name a person, and how the machine is organised. "
        "MLflow notes where its artifacts lie: share the run store, not its database.",
        "share the run store without MLflow's database, or rebuild it where it is read: "
        "cytobench track --rebuild",
    ),
    Code(
        "P131",
        "warning",
        "the name of a user or of this machine",
        "The login name or the host name of where the audit runs stands in a file.",
        "delete the file, or make it anew elsewhere",
    ),
    Code(
        "P132",
        "block",
        "a password or a key",
        "An address with a password, a private key, or a setting that is called password, secret, "
        "token or key and has a value.",
        "withdraw it where it is valid; give it as an environment variable in future",
    ),
    Code(
        "P140",
        "block",
        "a pickle",
        "Reading a pickle runs code, and a pickled model may hold the patients it was fitted to.",
        "share predictions, or the model as skops writes it",
    ),
    Code(
        "P141",
        "warning",
        "a file that the audit cannot read",
        "Nothing is known of what is in it.",
        "leave it out, or look into it yourself",
    ),
    Code(
        "P142",
        "warning",
        "a link",
        "What it points to may be copied with the folder; it was not followed.",
        "delete it",
    ),
    Code(
        "P143",
        "block",
        "a fitted model",
        "A stored champion is no pickle, but it may hold values of the patients that it was fitted "
        "to: neighbours and support vectors are patients.",
        "leave it out, unless the terms of the study allow it and the model holds no rows",
    ),
    Code(
        "P150",
        "note",
        "pseudonymous, not anonymous",
        "Salted hashes hide identifiers, not people: outcome, arm, site and subgroups stand beside "
        "each. The smallest group of patients who agree in all of them is named (k-anonymity, "
        "Sweeney 2002, doi:10.1142/S0218488502001648).",
        "treat it as personal data: share it under the terms of the study, or share boards only",
    ),
    Code(
        "P151",
        "note",
        "a cohort is not at hand",
        "Identifiers are looked for only where the cohort can be loaded.",
        "name it as it was run: cytobench audit --privacy runs dataset=NAME data=FOLDER",
    ),
)
CODES: Mapping[str, Code] = {item.code: item for item in _ALL}
