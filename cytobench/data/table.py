"""Bring your own table: from a dataset's YAML to a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cells import MISSING
from cytobench.data.cohort import Cohort, LabelOutcome, ScaleOutcome
from cytobench.data.columns import Reader, outcome_label, read_analytes
from cytobench.data.sources import Source, check_keys, matches, read_source

CARD_KEYS = (
    "name",
    "summary",
    "population",
    "treatment",
    "version",
    "licence",
    "citation",
    "origin",
    "caveat",
)
ROLE_KEYS = ("patient", "analytes", "covariates", "arm", "site", "plate", "holdout", "outcome")
READ_KEYS = ("source", "decimal", "missing", "checks")
SCALE_KEYS = (
    "scale",
    "baseline",
    "endpoint",
    "week",
    "remission_at",
    "minimum_baseline",
    "baseline_date",
    "endpoint_date",
)
LABEL_KEYS = ("label", "positive", "negative", "meaning", "otherwise")
MINIMUM_ARM = 5


@dataclass
class _Build:
    """The columns of the cohort's table, as they are read."""

    columns: dict[str, Any]
    notes: list[str]

    def add(self, name: str, values: Any) -> None:
        """Take a column; two roles cannot share a name."""
        if name in self.columns:
            raise DataError(
                "E326",
                f"two columns of the cohort would be called {name!r}",
                where="covariates",
                hint="rename the covariate: `covariates: {new_name: column}`",
            )
        self.columns[name] = values


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
        ``E310`` to ``E327``, with file, line and column, and what to do.
    """
    check_keys(config, (*CARD_KEYS, *ROLE_KEYS, *READ_KEYS), f"dataset {config.get('name')!r}")
    for key in ("name", "analytes", "outcome"):
        if key not in config:
            raise DataError("E322", f"expected `{key}:`", where=f"dataset {config.get('name')!r}")
    source = _above_minimum(read_source(config["source"], folders), config["outcome"])
    reader = Reader(
        source, folders, str(config.get("decimal", ".")), tuple(map(str, config.get("missing", ())))
    )
    build = _Build({}, list(source.notes))
    patients = _patients(reader, config.get("patient"), build)
    panel, values = read_analytes(reader, config["analytes"])
    covariates = _covariates(reader, config.get("covariates") or [], build)
    roles: dict[str, Any] = {
        role: _labels(reader, config, role, build)
        for role in ("arm", "site", "plate")
        if config.get(role) is not None
    }
    if "arm" in roles:
        _check_arms(reader, config, build)
    if config.get("holdout") is not None:
        roles["holdout"] = _holdout(reader, config["holdout"], build)
    outcome = _outcome(reader, config["outcome"], build)
    table = pd.concat([values, pd.DataFrame(build.columns)], axis=1).set_axis(patients)
    about: dict[str, Any] = {key: str(config[key]) for key in CARD_KEYS if key in config}
    card = DatasetCard(
        **about,
        outcome=outcome.meaning if isinstance(outcome, LabelOutcome) else outcome.scale,
    )
    return Cohort(table, panel, outcome, card, covariates, notes=build.notes, **roles)


def _above_minimum(source: Source, spec: Mapping[str, Any]) -> Source:
    """Leave out patients whose baseline score is too low to speak of a response."""
    minimum = spec.get("minimum_baseline")
    if minimum is None:
        return source
    column = str(spec["baseline"])
    keep = matches(source.texts(column), {"min": float(minimum)})
    if not keep.any():
        raise DataError("E325", f"no {column!r} is {minimum} or more", where="outcome")
    note = f"{int((~keep).sum())} of {len(keep)} patients left out: {column!r} below {minimum}"
    kept = source.only(keep)
    return Source(kept.frame, kept.place_of, [*source.notes, note])


def _patients(reader: Reader, spec: Any, build: _Build) -> list[str]:
    if spec is None:
        build.notes.append("patients have no identifier in the table: rows were numbered")
        return [f"row-{row + 1}" for row in range(len(reader.source.frame))]
    columns = [str(spec)] if not isinstance(spec, list) else [str(column) for column in spec]
    # A part of the identifier may also be the site.
    parts = [reader.source.texts(column) for column in columns]
    patients = ["-".join(part.strip() for part in row) for row in zip(*parts, strict=True)]
    seen: dict[str, int] = {}
    for row, patient in enumerate(patients):
        place = reader.source.place(columns[-1], row)
        if parts[-1][row].strip() in MISSING:
            raise DataError("E315", "the patient has no identifier", where=place)
        if patient in seen:
            raise DataError(
                "E315",
                f"patient {patient!r} is there twice, first at "
                f"{reader.source.place(columns[-1], seen[patient])}",
                where=place,
                hint="keep one row for each patient: filter with `rows:` or `first_of:`",
            )
        seen[patient] = row
    return patients


def _covariates(reader: Reader, spec: Any, build: _Build) -> list[str]:
    named = dict(spec) if isinstance(spec, Mapping) else {str(column): column for column in spec}
    for name, item in named.items():
        build.add(str(name), reader.covariate(item, "covariate"))
    return [str(name) for name in named]


def _labels(reader: Reader, config: Mapping[str, Any], role: str, build: _Build) -> str:
    build.add(role, pd.Series(reader.labels(config[role], role), dtype=object))
    return role


def _check_arms(reader: Reader, config: Mapping[str, Any], build: _Build) -> None:
    checks = config.get("checks") or {}
    check_keys(checks, ("minimum_arm",), "checks")
    minimum = int(checks.get("minimum_arm", MINIMUM_ARM))
    spec = config["arm"]
    column = str(spec["column"] if isinstance(spec, Mapping) else spec)
    arms = list(build.columns["arm"])
    for row, arm in enumerate(arms):
        if arm is None:
            raise DataError(
                "E324",
                "the patient has no arm",
                where=reader.source.place(column, row),
                hint=f"leave such rows out: `rows: [{{column: {column!r}, present: true}}]`",
            )
    counts = Counter(arms)
    for arm, count in sorted(counts.items()):
        if count < minimum:
            said = ", ".join(f"{name}: {number}" for name, number in sorted(counts.items()))
            raise DataError(
                "E320",
                f"arm {arm!r} has {count} patients, fewer than {minimum} ({said})",
                where=reader.source.place(column, arms.index(arm)),
                hint="leave the arm out with `rows:`, merge arms with `map:`, or set "
                "`checks: {minimum_arm: ...}`",
            )


def _holdout(reader: Reader, spec: Any, build: _Build) -> str:
    if not isinstance(spec, Mapping) or set(spec) != {"column", "test"}:
        raise DataError("E322", "expected {column: NAME, test: [values]}", where="holdout")
    column = str(spec["column"])
    texts = reader.use(column, "holdout")
    wanted = spec["test"] if isinstance(spec["test"], list) else [spec["test"]]
    build.add("holdout", matches(texts, {"in": wanted}))
    return "holdout"


def _outcome(reader: Reader, spec: Mapping[str, Any], build: _Build) -> ScaleOutcome | LabelOutcome:
    if "label" in spec:
        check_keys(spec, LABEL_KEYS, "outcome")
        if "positive" not in spec:
            raise DataError("E322", "expected `positive:`", where="outcome")
        build.add("label", outcome_label(reader, spec))
        meaning = str(spec.get("meaning") or f"{spec['label']} is {spec['positive']}")
        return LabelOutcome("label", meaning, str(spec.get("otherwise") or ""))
    check_keys(spec, SCALE_KEYS, "outcome")
    for key in ("scale", "baseline", "endpoint"):
        if key not in spec:
            raise DataError("E322", f"expected `{key}:` (or `label:`)", where="outcome")
    _check_dates(reader, spec)
    scale = str(spec["scale"])
    names = (f"{scale} before", f"{scale} after")
    for name, key in zip(names, ("baseline", "endpoint"), strict=True):
        build.add(name, _score(reader, str(spec[key]), key))
    return ScaleOutcome(
        scale,
        *names,
        remission_at=_optional(spec.get("remission_at")),
        week=_optional(spec.get("week")),
    )


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


def _score(reader: Reader, column: str, role: str) -> NDArray[np.float64]:
    values = reader.score(column, role)
    negative = np.flatnonzero(values < 0)
    if len(negative):
        row = int(negative[0])
        raise DataError(
            "E314",
            f"a score cannot be {values[row]:g}",
            where=reader.source.place(column, row),
            hint="correct the cell, or list the code under `missing:`",
        )
    return values


def _check_dates(reader: Reader, spec: Mapping[str, Any]) -> None:
    """Refuse an end point that lies before its baseline (dates, or weeks as numbers)."""
    if ("baseline_date" in spec) != ("endpoint_date" in spec):
        raise DataError("E322", "expected both baseline_date and endpoint_date", where="outcome")
    if "baseline_date" not in spec:
        return
    columns = [str(spec["baseline_date"]), str(spec["endpoint_date"])]
    before, after = (_moments(reader, column) for column in columns)
    wrong = np.flatnonzero((after < before).to_numpy())
    if len(wrong):
        row = int(wrong[0])
        texts = [reader.source.texts(column)[row] for column in columns]
        raise DataError(
            "E321",
            f"the end point ({texts[1]}) is before the baseline ({texts[0]})",
            where=reader.source.place(columns[1], row),
            hint="correct the dates, or leave the row out with `rows:`",
        )


def _moments(reader: Reader, column: str) -> pd.Series:
    texts = pd.Series(reader.use(column, "date")).replace(list(MISSING), None)
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().equals(texts.notna()):
        return numbers
    moments = pd.to_datetime(texts, errors="coerce", format="ISO8601")
    wrong = np.flatnonzero((moments.isna() & texts.notna()).to_numpy())
    if len(wrong):
        raise DataError(
            "E327",
            f"{texts[int(wrong[0])]!r} is no date",
            where=reader.source.place(column, int(wrong[0])),
            hint="write dates as 2024-05-31",
        )
    return moments
