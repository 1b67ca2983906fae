"""Bring your own table: from a dataset's YAML to a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.analytes import read_analytes
from cytobench.data.cells import MISSING
from cytobench.data.cohort import Cohort, LabelOutcome
from cytobench.data.columns import Reader, column_spec
from cytobench.data.download import how_to_get, pinned_files, verify
from cytobench.data.grammar import check_keys, check_texts, listed, number, one_of, required
from cytobench.data.outcome import check_outcome, read_outcome
from cytobench.data.readers import Files
from cytobench.data.rows import holds
from cytobench.data.sources import read_source
from cytobench.data.spelling import lookalikes

CARD_KEYS = (
    "name",
    "summary",
    "population",
    "treatment",
    "assignment",
    "cohort",
    "version",
    "licence",
    "citation",
    "origin",
    "caveat",
    "access",
)
ROLE_KEYS = ("patient", "analytes", "covariates", "arm", "site", "plate", "holdout", "outcome")
READ_KEYS = ("source", "decimal", "missing", "checks")
FILE_KEYS = ("files", "verify_files", "folder", "tables", "columns")
"""Pinned files, and what interpolations of a YAML refer to: names of files and of columns."""
MINIMUM_ARM = 5


def load_table(config: Mapping[str, Any], *, folders: Sequence[Path]) -> Cohort:
    """Read a cohort as its YAML describes it.

    Parameters
    ----------
    config : mapping
        A composed ``dataset`` node with a ``source``; the grammar is in
        ``docs/bring-your-own-table.md``.
    folders : sequence of Path
        Where relative file names are looked for.

    Raises
    ------
    DataError
        ``E310`` to ``E327``, with file, line and column, and what to do; ``E331`` to ``E339`` for
        an instrument's export, ``E340`` to ``E343`` for units and matrices,
        ``E371`` for another version of a pinned file.
    """
    where = f"dataset {config.get('name')!r}"
    check_texts(config, where)
    check_keys(config, (*CARD_KEYS, *ROLE_KEYS, *READ_KEYS, *FILE_KEYS), where)
    for key in ("name", "source", "analytes", "outcome"):
        required(config, key, where)
    check_outcome(config["outcome"])
    files = Files(
        folders,
        one_of(config.get("decimal") or ".", (".", ","), "decimal"),
        [str(text) for text in listed(config.get("missing"))],
    )
    if config.get("verify_files", True):
        verify(pinned_files(config.get("files")), folders)
    try:
        return _cohort(_reader(config, files), config)
    except DataError as error:
        way = how_to_get(config) if error.code == "E310" else ""
        if not way:
            raise
        hint = f"{error.hint}; {way}"
        raise DataError(error.code, error.message, where=error.where, hint=hint) from error


def _reader(config: Mapping[str, Any], files: Files) -> Reader:
    """The source's columns, for the patients who are ill enough to speak of a response."""
    source = read_source(config["source"], files)
    spec = config["outcome"]
    if spec.get("minimum_baseline") is not None:
        column, minimum = (
            str(spec["baseline"]),
            number(spec["minimum_baseline"], "outcome.minimum_baseline"),
        )
        with np.errstate(invalid="ignore"):
            keep = Reader(source, files).score(column, "baseline") >= minimum
        if not keep.any():
            raise DataError(
                "E325", f"no {column!r} is {minimum:g} or more", where=f"{source.files}: outcome"
            )
        left_out = f"{int((~keep).sum())} of {len(keep)} patients left out"
        source = source.only(keep, f"{left_out}: {column!r} is missing or below {minimum:g}")
    return Reader(source, files, list(source.notes))


def _cohort(reader: Reader, config: Mapping[str, Any]) -> Cohort:
    patients = _patients(reader, listed(config.get("patient")))
    panel, values = read_analytes(reader, config["analytes"])
    columns: dict[str, Any] = {}
    covariates = _covariates(reader, config.get("covariates"))
    roles: dict[str, Any] = {}
    for role in ("arm", "site", "plate"):
        if config.get(role) is not None:
            columns[role] = pd.Series(reader.labels(config[role], role), dtype=object)
            roles[role] = role
    _check_arms(reader, config, columns.get("arm"))
    if config.get("holdout") is not None:
        columns["holdout"] = _holdout(reader, config["holdout"])
        roles["holdout"] = "holdout"
    outcome, scores = read_outcome(reader, config["outcome"])
    _check_names(covariates, [*values.columns, *columns, *scores])
    table = pd.concat([values, pd.DataFrame({**covariates, **columns, **scores})], axis=1)
    about: dict[str, Any] = {key: str(config[key]) for key in CARD_KEYS if key in config}
    one_of(about.get("assignment", ""), ("randomised", "observational", ""), "assignment")
    meaning = outcome.meaning if isinstance(outcome, LabelOutcome) else outcome.scale
    card = DatasetCard(**about, outcome=meaning)
    table = table.set_axis(patients)
    return Cohort(table, panel, outcome, card, list(covariates), notes=reader.notes, **roles)


def _patients(reader: Reader, columns: list[Any]) -> list[str]:
    """Identifiers; their columns may have another role too (a site, say)."""
    if not columns:
        reader.notes.append("patients have no identifier in the table: rows were numbered")
        return [f"row-{row + 1}" for row in range(len(reader))]
    parts = [[text.strip() for text in reader.source.texts(str(column))] for column in columns]
    for column, texts in zip(columns, parts, strict=True):
        empty = next((row for row, text in enumerate(texts) if text in MISSING), None)
        if empty is not None:
            raise DataError(
                "E315",
                "the patient has no identifier",
                where=reader.source.place(str(column), empty),
                hint=f"leave such rows out: `rows: [{{column: {column!r}, present: true}}]`",
            )
    patients = ["-".join(row) for row in zip(*parts, strict=True)]
    seen: dict[str, int] = {}
    for row, patient in enumerate(patients):
        if patient in seen:
            column = str(columns[-1])
            raise DataError(
                "E315",
                "the patient is there twice, first at "
                f"{reader.source.place(column, seen[patient])}",
                where=reader.source.place(column, row),
                hint="keep one row for each patient: filter with `rows:` or `first_of:`",
            )
        seen[patient] = row
    alike = lookalikes(patients)
    if alike:
        raise DataError(
            "E315",
            f"two patients look the same: {alike[0]!a} and {alike[1]!a}",
            where=reader.source.place(str(columns[-1]), patients.index(alike[1])),
            hint="if they are one, keep one row; else write them in letters that can be seen",
        )
    return patients


def _covariates(reader: Reader, spec: Any) -> dict[str, pd.Series]:
    named = spec if isinstance(spec, Mapping) else {column: column for column in listed(spec)}
    return {str(name): reader.covariate(item, f"covariates.{name}") for name, item in named.items()}


def _check_names(covariates: Mapping[str, Any], others: Sequence[str]) -> None:
    for name in covariates:
        if name in others:
            raise DataError(
                "E326",
                f"two columns of the cohort would be called {name!r}",
                where="covariates",
                hint="rename the covariate: `covariates: {new_name: column}`",
            )


def _check_arms(reader: Reader, config: Mapping[str, Any], arms: pd.Series | None) -> None:
    checks = config.get("checks") or {}
    check_keys(checks, ("minimum_arm",), "checks")
    minimum = number(checks.get("minimum_arm", MINIMUM_ARM), "checks.minimum_arm")
    if arms is None:
        return
    column = column_spec(config["arm"], "arm").column
    without = np.flatnonzero(arms.isna().to_numpy())
    if len(without):
        raise DataError(
            "E324",
            "the patient has no arm",
            where=reader.source.place(column, int(without[0])),
            hint=f"leave such rows out: `rows: [{{column: {column!r}, present: true}}]`",
        )
    counts = Counter(arms)
    for arm, count in sorted(counts.items()):
        if count < minimum:
            said = ", ".join(f"{name}: {n}" for name, n in sorted(counts.items()))
            raise DataError(
                "E320",
                f"arm {arm!r} has {count} patients, fewer than {minimum:g} ({said})",
                where=reader.source.place(column, list(arms).index(arm)),
                hint="leave the arm out with `rows:`, merge arms with `map:`, or set "
                "`checks: {minimum_arm: ...}`",
            )


def _holdout(reader: Reader, spec: Any) -> NDArray[np.bool_]:
    """The authors' test part: ``{column: x, test: [values]}``, or a column of yes and no."""
    if not isinstance(spec, Mapping):
        spec = {"column": spec, "test": [True, 1]}
    check_keys(spec, ("column", "test"), "holdout")
    column, test = (required(spec, key, "holdout") for key in ("column", "test"))
    flags = holds(reader.use(str(column), "holdout"), test)
    if flags.all() or not flags.any():
        part = "every" if flags.any() else "no"
        raise DataError(
            "E322",
            f"{part} patient is in the test part",
            where=f"{reader.source.files}, column {str(column)!r}: holdout",
            hint="say which values mark the test part: `test: [values]`",
        )
    return flags
