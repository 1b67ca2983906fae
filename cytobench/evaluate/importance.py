"""Explanations of folds, put together: importance, dependence and stability with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.hashing import canonical_json
from cytobench.evaluate.intervals import Estimate, nadeau_bengio, out_of_bag
from cytobench.evaluate.stability import Stability, stability

Record = Mapping[str, Any]
"""One fold's :class:`cytobench.run.explaining.Explanation`, as it is stored."""
HEADLINE = ("auc", "mae")
"""The loss by which columns are ranked: the first that was computed."""
REPEATED = "repeated_stratified"
TOP = 5
"""The size of the set of the most important columns whose stability is told for every model."""


@dataclass(frozen=True)
class Importance:
    """What shuffling a column costs.

    Attributes
    ----------
    cost : Estimate
        Fall of the AUC, or rise of the log-loss or mean absolute error; mean over folds.
    folds : int
    """

    column: str
    cost: Estimate
    folds: int

    @property
    def clear(self) -> bool:
        """Whether the interval lies above 0."""
        return self.cost.low is not None and self.cost.low > 0


@dataclass(frozen=True)
class Dependence:
    """Mean prediction were all test patients at a value of the column.

    Attributes
    ----------
    unit : str
        Of the grid; empty where the cohort tells none.
    grid, mean : arrays of shape (points,)
    low, high : arrays of shape (points,)
        The lowest and highest fold: how much folds vary, no confidence interval.
    """

    column: str
    unit: str
    grid: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def alike(records: Sequence[Record]) -> list[Record]:
    """Those that were made with the settings that most were: others cannot be averaged with them.

    Of settings that are equally frequent, those of the first.
    """
    settings = [canonical_json(item["settings"]) for item in records]
    most = max(Counter(settings).items(), key=lambda item: item[1], default=("", 0))[0]
    return [item for item, own in zip(records, settings, strict=True) if own == most]


def losses(records: Sequence[Record]) -> list[str]:
    """Losses for which there are importances, that of the ranking first."""
    names = list(dict.fromkeys(name for item in records for name in item["importance"]))
    return sorted(names, key=lambda name: (name not in HEADLINE, names.index(name)))


def importances(
    records: Sequence[Record], loss: str | None = None, *, protocol: str = REPEATED
) -> list[Importance]:
    """Permutation importance of every column over folds, the most important first.

    A cost is a paired difference, and has the interval that the protocol allows for one: Nadeau &
    Bengio's corrected resampled t under repeated cross-validation, percentiles under the bootstrap,
    none where one model was fitted or where the folds are sites. It is of each column by itself:
    with thirty columns without any effect, one or two may lie above 0 by chance.

    Parameters
    ----------
    loss : str, optional
        That of the ranking unless given.
    protocol : str
        The cell's.
    """
    if not records:
        return []
    name = loss or losses(records)[0]
    sizes = [float(np.mean([item[size] for item in records])) for size in ("n_train", "n_test")]
    columns = dict.fromkeys(column for item in records for column in item["importance"][name])
    found = []
    for column in columns:
        values = [
            item["importance"][name][column]
            for item in records
            if column in item["importance"][name]
        ]
        found.append(Importance(column, _cost(values, sizes, protocol), len(values)))
    return sorted(found, key=lambda item: (-item.cost.value, item.column))


def _cost(values: Sequence[float], sizes: Sequence[float], protocol: str) -> Estimate:
    if protocol == REPEATED:
        return nadeau_bengio(values, *sizes)
    if protocol == "bootstrap":
        return out_of_bag(values)
    return Estimate(float(np.mean(values)), None, None, f"no interval under {protocol}")


def shapley(records: Sequence[Record]) -> dict[str, float]:
    """Mean absolute Shapley value of every column over folds, the largest first; empty for none."""
    known = [item["shap"] for item in records if item["shap"] is not None]
    columns = dict.fromkeys(column for values in known for column in values)
    means = {name: float(np.mean([values.get(name, 0.0) for values in known])) for name in columns}
    return dict(sorted(means.items(), key=lambda item: (-item[1], item[0])))


def used(records: Sequence[Record]) -> Stability | None:
    """Stability of the columns that the fitted models use; None where they do not say."""
    known = [item["used"] for item in records if item["used"] is not None]
    return stability(known) if len(known) > 1 else None


def most_important(records: Sequence[Record], top: int = TOP) -> Stability | None:
    """Stability of each fold's `top` most important columns; None with too few to choose from.

    Folds without the loss of the ranking, their test parts holding one class, have no say.
    """
    costs = [item["importance"][losses(records)[0]] for item in records]
    costs = [item for item in costs if item]
    if len(costs) < 2 or max(map(len, costs)) <= top:
        return None
    selections = []
    for item in costs:
        ranked = sorted(item, key=lambda column: (-item[column], column))
        selections.append({column: column in ranked[:top] for column in ranked})
    return stability(selections)


def dependences(records: Sequence[Record], columns: Sequence[str]) -> list[Dependence]:
    """Partial dependence of these columns, the mean over folds; text columns have none."""
    found = []
    for column in columns:
        curves = [item["dependence"][column] for item in records if column in item["dependence"]]
        if not curves:
            continue
        values = np.array([curve["prediction"] for curve in curves])
        ends = values.min(axis=0), values.max(axis=0)
        grid = np.array(curves[0]["grid"])
        unit = str(curves[0]["unit"])
        found.append(Dependence(column, unit, grid, values.mean(axis=0), *ends))
    return found
