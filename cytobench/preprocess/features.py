"""Features of the domain: indices of immune balance, ratios, an inflammation score, CRP strata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytobench.core.errors import DataError, UsageError
from cytobench.data.names import resolve
from cytobench.data.units import conversion_factor

Floats = NDArray[np.float64]
CRP_CUTS = (1.0, 3.0)
"""mg/L; below 1, 1 to 3, and above 3 are low, average and high risk (Pearson et al. 2003,
doi:10.1161/01.CIR.0000052939.59093.45)."""
CRP_NAMES = (f"CRP at least {CRP_CUTS[0]:g} mg/L", f"CRP above {CRP_CUTS[1]:g} mg/L")
SCORE = "inflammation score"
INFLAMMATION = ("CRP", "IL-6", "TNF-α", "IL-1β")
FEWEST_IN_SCORE = 2
NEGLIGIBLE = 1e-9
"""A spread of logarithms below this is rounding of a constant."""


class Group(NamedTuple):
    """A group of features: what it is, and the pairs of analytes that it takes the log ratio of."""

    summary: str
    ratios: tuple[tuple[str, str], ...] = ()


GROUPS: dict[str, Group] = {
    "th1_th2": Group(
        "balance of Th1 and Th2 cytokines",
        (("IFN-γ", "IL-4"), ("IFN-γ", "IL-10"), ("IFN-γ", "IL-13")),
    ),
    "pro_anti": Group(
        "pro- against anti-inflammatory cytokines", (("IL-6", "IL-10"), ("TNF-α", "IL-10"))
    ),
    "th17_treg": Group(
        "balance of Th17 and regulatory T cells", (("IL-17A", "TGF-β1"), ("IL-17A", "IL-10"))
    ),
    "ratios": Group(
        "the ratios that are most often published",
        (("IFN-γ", "IL-4"), ("IFN-γ", "IL-10"), ("TNF-α", "IL-10"), ("IL-6", "IL-10")),
    ),
    "inflammation": Group("mean standardised logarithm of CRP, IL-6, TNF-α and IL-1β"),
    "crp_strata": Group("CRP of 1 to 3 and above 3 mg/L, two indicators"),
}
"""What `preprocess.features` may name. The indices are those of the project's literature notes."""


class DomainFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Add features of the domain to analytes on a logarithmic scale.

    Ratios are differences of natural logarithms. Only the inflammation score is fitted: means and
    spreads are those of the training rows, and an analyte without spread there has no part in it. A
    feature is NaN where one of its analytes is, and is imputed with the rest.

    Parameters
    ----------
    features : sequence of str
        Keys of `GROUPS`. Of a group, what can be computed from the columns that are there is.
    analytes : mapping
        Column -> ``"ln"`` or ``"log2"``, the logarithm that it holds; all the cohort's analytes.
        That one of them is not there, having been hardly detected, is no error.
    units : mapping
        Column -> unit; CRP's is needed for its strata.

    Raises
    ------
    UsageError, DataError
        As :func:`check_groups`.
    """

    def __init__(
        self,
        features: Sequence[str] = (),
        analytes: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.features = features
        self.analytes = analytes
        self.units = units

    def fit(self, X: pd.DataFrame, y: object = None) -> DomainFeatures:
        """Find which features there are, and the spread of what the score is made of."""
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        standard = resolve(self.analytes or {})
        units = {column: (self.units or {}).get(column, "") for column in self.analytes or {}}
        check_groups(self.features, units)
        self.column_of_ = {name: column for column, name in standard.items() if column in X.columns}
        pairs = [pair for group in self.features for pair in GROUPS[group].ratios]
        self.ratios_ = [
            pair for pair in dict.fromkeys(pairs) if all(name in self.column_of_ for name in pair)
        ]
        self.scored_ = self._score_parts(X) if "inflammation" in self.features else {}
        stratified = "crp_strata" in self.features and "CRP" in self.column_of_
        self.cuts_ = _log_cuts(units[self.column_of_["CRP"]]) if stratified else []
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with the features added."""
        check_is_fitted(self, "column_of_")
        added: dict[str, Floats] = {
            f"log({one}/{other})": self._log(X, one) - self._log(X, other)
            for one, other in self.ratios_
        }
        if self.scored_:
            parts = [
                (self._log(X, name) - center) / spread
                for name, (center, spread) in self.scored_.items()
            ]
            added[SCORE] = np.mean(parts, axis=0)
        if self.cuts_:
            level = self._log(X, "CRP")
            over = (level >= self.cuts_[0], level > self.cuts_[1])
            for name, inside in zip(CRP_NAMES, over, strict=True):
                added[name] = np.where(np.isnan(level), np.nan, inside)
        return X[self.feature_names_in_].assign(**added)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The columns that came in, and those that were added."""
        del input_features
        return np.asarray([*self.feature_names_in_, *self.added_names], dtype=object)

    @property
    def added_names(self) -> list[str]:
        """Names of the columns that a fitted transformer adds, in order."""
        names = [f"log({one}/{other})" for one, other in self.ratios_]
        names += [SCORE] if self.scored_ else []
        return [*names, *(CRP_NAMES if self.cuts_ else ())]

    def _log(self, X: pd.DataFrame, name: str) -> Floats:
        """Natural logarithm of an analyte."""
        column = self.column_of_[name]
        values = X[column].to_numpy(dtype=np.float64)
        factor = np.log(2) if (self.analytes or {})[column] == "log2" else 1.0
        return np.asarray(values * factor)

    def _score_parts(self, X: pd.DataFrame) -> dict[str, tuple[float, float]]:
        """Training mean and spread of what the score is made of; nothing where that is too few."""
        parts = {}
        for name in INFLAMMATION:
            values = self._log(X, name) if name in self.column_of_ else np.empty(0)
            values = values[~np.isnan(values)]
            spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            if spread > NEGLIGIBLE:
                parts[name] = float(values.mean()), spread
        return parts if len(parts) >= FEWEST_IN_SCORE else {}


def check_groups(groups: Sequence[str], units: Mapping[str, str]) -> None:
    """Refuse groups that do not exist, or of which the analytes allow nothing.

    Parameters
    ----------
    units : mapping
        Column of each analyte that was measured -> its unit, empty where none is stated.

    Raises
    ------
    UsageError
        ``E363`` where there is no such group.
    DataError
        ``E363`` where too little of it was measured, ``E364`` where strata of CRP are asked for
        and its unit has no ratio to mg/L.
    """
    measured = {name: units[column] for column, name in resolve(units).items()}
    for group in groups:
        _check_group(group, list(measured))
    if "crp_strata" in groups:
        _log_cuts(measured["CRP"])


def _check_group(group: str, known: Sequence[str]) -> None:
    if group not in GROUPS:
        raise unknown_group(group)
    ratios = GROUPS[group].ratios
    needed = {name for pair in ratios for name in pair} or {
        "inflammation": set(INFLAMMATION), "crp_strata": {"CRP"}
    }[group]  # fmt: skip
    fine = (
        any(all(name in known for name in pair) for pair in ratios)
        if ratios
        else len(needed & set(known)) >= min(FEWEST_IN_SCORE, len(needed))
    )
    if not fine:
        missing = sorted(needed - set(known))
        raise DataError(
            "E363",
            f"{group!r} cannot be computed: {', '.join(missing)} not measured",
            where="preprocess.features",
            hint="leave the group out, or say under `analytes.rename` what the column is",
        )


def _log_cuts(unit: str) -> list[float]:
    """The cut-offs as natural logarithms of CRP in this unit."""
    try:
        factor = conversion_factor("mg/L", unit)
    except DataError as error:
        said = repr(unit) if unit else "not stated"
        raise DataError(
            "E364",
            f"strata of CRP are in mg/L, and the cohort's unit is {said}",
            where="preprocess.features",
            hint=error.hint if unit else "declare `unit:` for CRP in the dataset's YAML",
        ) from error
    return [float(np.log(cut * factor)) for cut in CRP_CUTS]


def unknown_group(group: str) -> UsageError:
    """``E363``, with the groups that there are."""
    return UsageError(
        "E363",
        f"there is no feature group {group!r}",
        where="preprocess.features",
        hint=f"there are: {', '.join(GROUPS)}",
    )
