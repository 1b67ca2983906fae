"""Rows of patients: raw features, columns that identify, dates of birth, free text, k-anonymity."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cytobench.data.names import standard_name
from cytobench.privacy.codes import Leak
from cytobench.privacy.identifiers import HASH, STORED, is_of_patients, texts
from cytobench.privacy.knowledge import PATIENT, Knowledge
from cytobench.privacy.material import Item

OF_FOLD = frozenset({"patient", "y", "prediction", "arm", "site", "truth"})
GROUP = "group:"
BY_PATIENT = (GROUP, "arm:")
INNER = re.compile(r"(?:^|/)inner-\d+\.parquet$")
BIRTH = re.compile(
    r"(?i)(?<![a-z])(dob|birth[_ -]?(date|day)|date[_ -]?of[_ -]?birth|born([_ -]on)?"
    r"|geburts(datum|tag)|year[_ -]?of[_ -]?birth|birth[_ -]?year)(?![a-z])"
)
DATE = re.compile(r"(19|20)\d\d-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./](19|20)?\d\d")
BORN = re.compile(
    BIRTH.pattern
    + r"[\"']?\s*[:=]?\s*[\"']?((19|20)\d\d-\d\d?-\d\d?|\d\d?[./]\d\d?[./](19|20)\d\d)"
)
MANY = 20
"""Rows from which on it means something that nearly all differ."""
NEARLY_ALL = 0.9
SENTENCE = 4
"""Words."""


def raw_features(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Tables of patients with what models were given."""
    for table in item.tables:
        columns = set(table.columns)
        if STORED.search(item.where):
            raw = {
                name for name in columns if name not in OF_FOLD and not name.startswith(BY_PATIENT)
            }
        elif INNER.search(item.where):
            raw = {name for name in columns if name != "y" and not name.isdigit()}
        elif is_of_patients(table, known):
            raw = {name for name in columns if name in known.features or standard_name(name)}
        else:
            # Without a column of patients: two features and more rows than a summary has.
            raw = {name for name in columns & known.features if _numbers(table.columns[name])}
            raw = raw if len(raw) > 1 and len(table) >= MANY else set()
        if raw:
            said = f"{len(table)} rows with {len(raw)} columns of features"
            yield Leak("P110", said, f"{table.where}, {', '.join(sorted(raw)[:3])}")


def _numbers(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers, as text or not, of which most differ."""
    found = set()
    for value in values:
        try:
            found.add(float(value))
        except (TypeError, ValueError):
            return False
    return len(found) > len(values) / 2


def telling_columns(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Columns of text that differ between nearly all patients, and sentences."""
    for table in item.tables:
        if not (STORED.search(item.where) or is_of_patients(table, known)):
            continue
        for name, values in table.columns.items():
            words = texts(values)
            if len(words) < MANY or len(set(words)) < NEARLY_ALL * len(words):
                continue
            place = f"{table.where}, column {name}"
            if sum(len(word.split()) >= SENTENCE for word in words) > len(words) / 2:
                yield Leak("P113", f"{len(words)} different sentences", place)
            elif not _expected_to_differ(name, words):
                yield Leak("P111", f"{len(set(words))} values in {len(words)} rows", place)


def _expected_to_differ(name: str, words: Sequence[str]) -> bool:
    """Pseudonyms, numbers and dates: other checks look at them."""
    if PATIENT.search(name) and all(HASH.fullmatch(word) for word in words):
        return True
    return all(DATE.fullmatch(word) or _number(word) for word in words)


def _number(word: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word) is not None


def births(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Dates of birth: by title, by what stands before a date, or a column of dates of patients."""
    for table in item.tables:
        for name, values in table.columns.items():
            dates = [word for word in map(str, values) if DATE.fullmatch(word)]
            place = f"{table.where}, column {name}"
            if BIRTH.search(name) and len(texts(values)) + len(dates):
                yield Leak("P112", f"{len(values)} rows of a column that is called so", place)
            elif is_of_patients(table, known) and len(dates) > len(values) / 2:
                yield Leak("P112", f"{len(dates)} dates, one for each patient", place)
    found = {match[0] for match in BORN.finditer(item.text)}
    if found:
        yield Leak("P112", f"{len(found)} dates after a word for birth", item.where)


def stand_beside(item: Item) -> dict[str, tuple[Any, ...]]:
    """Pseudonym -> arm, site and subgroups, of a stored fold; empty for other files."""
    found: dict[str, tuple[Any, ...]] = {}
    for table in item.tables if STORED.search(item.where) else []:
        names = [name for name in table.columns if name in ("arm", "site") or name[:6] == GROUP]
        rows = zip(*(table.columns[name] for name in names), strict=True)
        found.update(zip(map(str, table.columns.get("patient", ())), rows, strict=False))
    return found


def anonymity(cells: Iterable[Mapping[str, tuple[Any, ...]]]) -> Iterator[Leak]:
    """How many patients of a cell agree at least in all that stands beside a pseudonym.

    Parameters
    ----------
    cells : iterable of mapping
        What :func:`stand_beside` says of all folds of each cell.
    """
    smallest = [
        (min(Counter(patients.values()).values()), len(patients)) for patients in cells if patients
    ]
    if smallest:
        k, n = min(smallest)
        said = f"k = {k}: so many of {n} patients share arm, site and subgroups at least"
        yield Leak("P150", said, ".")
