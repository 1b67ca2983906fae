"""The cohort: patients with their baseline, arm, site, plate and outcome; frozen once made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from cytobench.core.cards import DatasetCard, Input
from cytobench.core.errors import DataError
from cytobench.core.hashing import canonical_json

BELOW, ABOVE = "__below", "__above"
"""Suffixes of the companion columns that mark a value at a limit of detection."""


@dataclass(frozen=True)
class Analyte:
    """One measured marker.

    Attributes
    ----------
    unit : str
        As written in the table; ``"NPX"`` and other logarithmic scales need ``scale="log2"``.
    scale : {"linear", "log2"}
        ``linear`` values are concentrations and cannot be negative.
    llod, uloq : float or None
        Limits in the analyte's unit; a value flagged below or above one carries it as its value.
        None where the limit is unknown or differs between plates.
    """

    name: str
    unit: str = ""
    scale: Literal["linear", "log2"] = "linear"
    platform: str = ""
    matrix: str = ""
    llod: float | None = None
    uloq: float | None = None


@dataclass(frozen=True)
class ScaleOutcome:
    """A symptom score before and after treatment; response, remission and change follow from it.

    Attributes
    ----------
    scale : str
        ``"HAM-D17"``, ``"MADRS"``, ``"QIDS-SR16"``, ``"PHQ-9"``, ``"HADS-D"`` ...
    baseline, endpoint : str
        Columns of the cohort's table; higher is worse.
    remission_at : float or None
        The score at or below which a patient is in remission.
    week : float or None
        Weeks from baseline to endpoint.
    """

    scale: str
    baseline: str
    endpoint: str
    remission_at: float | None = None
    week: float | None = None


@dataclass(frozen=True)
class LabelOutcome:
    """A ready binary label, 1 for the outcome that ``meaning`` names.

    It stands in for response where no scores were published.
    """

    column: str
    meaning: str
    otherwise: str = ""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients, one row each.

    Parameters
    ----------
    table : DataFrame, shape (n_patients, n_columns)
        Indexed by patient identifier. Analytes are floats in their declared unit, NaN where
        missing. A value outside the limits of detection carries the limit and is marked in the
        boolean column ``<analyte>__below`` or ``<analyte>__above``.
    panel : sequence of Analyte
        The analytes, in the order of their columns.
    outcome : ScaleOutcome or LabelOutcome
    card : DatasetCard
    covariates : sequence of str
        Baseline columns known before treatment: numbers, booleans or text (categories).
    arm, site, plate, study, holdout : str, optional
        Columns of the treatment arm, recruiting site, assay plate, the study that a patient comes
        from (pooled cohorts), and of the rows that the cohort's authors held out (boolean, True
        for the test part).
    truth : DataFrame, optional
        Simulated cohorts only: per patient the Bayes-optimal prediction, one column per task. The
        same under each arm may stand in ``<task>@<arm>``.
    followup : DataFrame, optional
        Analyte levels at the end point, one column for each of some analytes; never a feature.
    notes : sequence of str
        What the reader did to the table that a person should know (rows left out, flags set).

    Raises
    ------
    DataError
        ``E301`` (missing column), ``E302`` (duplicate patient), ``E303`` (text in a number),
        ``E304`` (negative concentration), ``E305`` (a column with two roles), ``E306`` (nobody).
    """

    table: pd.DataFrame
    panel: Sequence[Analyte]
    outcome: ScaleOutcome | LabelOutcome
    card: DatasetCard
    covariates: Sequence[str] = ()
    arm: str | None = None
    site: str | None = None
    plate: str | None = None
    study: str | None = None
    holdout: str | None = None
    truth: pd.DataFrame | None = None
    followup: pd.DataFrame | None = None
    notes: Sequence[str] = ()
    _frozen: pd.DataFrame = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("panel", "covariates", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self._check_columns()
        columns = list(self._roles())
        frozen = self.table[columns].copy()
        frozen.index = frozen.index.astype(str)
        self._check_rows(frozen)
        object.__setattr__(self, "_frozen", frozen)
        # Copy-on-write (pandas >= 3) makes a shallow copy safe to hand out.
        object.__setattr__(self, "table", frozen.copy(deep=False))

    def __len__(self) -> int:
        return len(self._frozen)

    @property
    def name(self) -> str:
        """The cohort's name, as on the command line."""
        return self.card.name

    @property
    def patients(self) -> list[str]:
        """Patient identifiers in the order of the rows."""
        return [str(patient) for patient in self._frozen.index]

    @property
    def analytes(self) -> tuple[str, ...]:
        """Names of the analytes."""
        return tuple(analyte.name for analyte in self.panel)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """The companion columns that are present."""
        return tuple(
            flag
            for name in self.analytes
            for flag in (name + BELOW, name + ABOVE)
            if flag in self.table.columns
        )

    @property
    def severity(self) -> str | None:
        """The column of the baseline score, known before treatment; None for a ready label."""
        return self.outcome.baseline if isinstance(self.outcome, ScaleOutcome) else None

    @property
    def clinical(self) -> tuple[str, ...]:
        """Covariates, baseline severity and arm: what is known without a blood sample."""
        extra = (self.severity, self.arm)
        return (*self.covariates, *(column for column in extra if column is not None))

    def baseline_columns(self, inputs: Sequence[Input]) -> list[str]:
        """Columns that a model with these inputs may see; never an outcome."""
        columns: list[str] = []
        if "analytes" in inputs:
            columns += [*self.analytes, *self.flags]
        if "clinical" in inputs:
            columns += self.clinical
        return columns

    def baseline(self, inputs: Sequence[Input] = ("analytes", "clinical")) -> pd.DataFrame:
        """What is known before treatment, one row per patient; a copy."""
        return self._frozen[self.baseline_columns(inputs)].copy()

    def column(self, name: str) -> pd.Series:
        """One column, a copy indexed by patient."""
        return self._frozen[name].copy()

    def labels(self, role: Literal["arm", "site", "plate", "study"]) -> list[str]:
        """Arm, site, plate or study of every patient as text; empty strings where there is none."""
        column = getattr(self, role)
        if column is None:
            return [""] * len(self)
        if column not in self._labels:
            values = self._frozen[column]
            self._labels[column] = ["" if pd.isna(value) else str(value) for value in values]
        return list(self._labels[column])

    @cached_property
    def _labels(self) -> dict[str, list[str]]:
        """What :meth:`labels` has answered: every fold asks for it again."""
        return {}

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of all that a model or a metric could see: ids, values, roles, panel, outcome."""
        state = hashlib.sha256()
        schema = {
            "panel": [asdict(analyte) for analyte in self.panel],
            "outcome": {"kind": type(self.outcome).__name__, **asdict(self.outcome)},
            "roles": self._roles(),
        }
        state.update(canonical_json(schema).encode())
        state.update("\x1f".join(self.patients).encode())
        for column in self._frozen.columns:
            state.update(str(column).encode())
            state.update(_column_bytes(self._frozen[column]))
        for name in ("truth", "followup"):
            beside = getattr(self, name)
            for column in [] if beside is None else beside.columns:
                state.update(f"{name} {column}".encode())
                state.update(_column_bytes(beside[column]))
        return state.hexdigest()

    def _roles(self) -> dict[str, str]:
        """Column -> role, in a fixed order. An arm may also be nothing else, and so on."""
        roles: dict[str, str] = {}
        named: list[tuple[str, str | None]] = [
            *((("analyte"), analyte.name) for analyte in self.panel),
            *(("flag", flag) for flag in self.flags),
            *(("covariate", column) for column in self.covariates),
            ("arm", self.arm),
            ("site", self.site),
            ("plate", self.plate),
            ("study", self.study),
            ("holdout", self.holdout),
        ]
        if isinstance(self.outcome, ScaleOutcome):
            named += [("severity", self.outcome.baseline), ("endpoint", self.outcome.endpoint)]
        else:
            named += [("label", self.outcome.column)]
        for role, column in named:
            if column is None:
                continue
            if column in roles:
                raise DataError(
                    "E305",
                    f"column {column!r} is declared as {roles[column]} and as {role}",
                    where=f"cohort {self.name!r}",
                    hint="give each column one role",
                )
            roles[column] = role
        return roles

    def _check_columns(self) -> None:
        where = f"cohort {self.name!r}"
        if len(self.table) == 0:
            raise DataError("E306", "no patients are left", where=where)
        if not self.table.columns.is_unique:
            twice = self.table.columns[self.table.columns.duplicated()][0]
            raise DataError("E305", f"two columns are called {twice!r}", where=where)
        missing = [column for column in self._roles() if column not in self.table.columns]
        if missing:
            raise DataError("E301", f"column {missing[0]!r} is missing", where=where)
        for name in ("truth", "followup"):
            beside = getattr(self, name)
            if beside is not None and len(beside) != len(self.table):
                raise DataError("E301", f"{name} must have one row per patient", where=where)
        unknown = [] if self.followup is None else set(self.followup.columns) - {*self.analytes}
        if unknown:
            raise DataError(
                "E301", f"{min(unknown)!r} was followed up, but is no analyte", where=where
            )

    def _check_rows(self, table: pd.DataFrame) -> None:
        where = f"cohort {self.name!r}"
        duplicated = np.flatnonzero(table.index.duplicated())
        if len(duplicated):
            # By its place: messages are pasted into issues, identifiers are not for them.
            raise DataError(
                "E302",
                f"the patient of row {duplicated[0] + 1} has a row before it",
                where=where,
            )
        for analyte in self.panel:
            values = table[analyte.name]
            if not pd.api.types.is_float_dtype(values):
                raise DataError(
                    "E303", f"{analyte.name!r} holds {values.dtype}, expected floats", where=where
                )
            negative = np.flatnonzero(values.to_numpy() < 0)
            if analyte.scale == "linear" and len(negative):
                raise DataError(
                    "E304",
                    f"{analyte.name!r} is negative in row {negative[0] + 1}",
                    where=where,
                    hint="a concentration cannot be; NPX and other log values need scale: log2",
                )
        for flag in self.flags:
            if not pd.api.types.is_bool_dtype(table[flag]):
                raise DataError("E303", f"{flag!r} must hold booleans", where=where)

    def describe(self) -> Mapping[str, object]:
        """Counts that a reader wants first."""
        return {
            "patients": len(self),
            "analytes": len(self.panel),
            "covariates": len(self.covariates),
            "arms": sorted({label for label in self.labels("arm") if label}),
            "sites": sorted({label for label in self.labels("site") if label}),
            "fingerprint": self.fingerprint,
        }


def _column_bytes(column: pd.Series) -> bytes:
    if pd.api.types.is_bool_dtype(column):
        return np.ascontiguousarray(column.to_numpy(), dtype=np.uint8).tobytes()
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan).copy()
        values[np.isnan(values)] = np.nan  # one bit pattern for every kind of missing
        return np.ascontiguousarray(values, dtype="<f8").tobytes()
    return "\x1f".join("\x00" if pd.isna(value) else str(value) for value in column).encode()
