"""A fold as a unit of work: loaded as planned and done wherever it is, its failure included."""

from __future__ import annotations

import traceback
import warnings
from dataclasses import dataclass

from cytobench.core.errors import CytobenchError, PluginError
from cytobench.core.result import FoldFailure, FoldResult
from cytobench.core.threads import one_thread
from cytobench.data.target import BENEFIT
from cytobench.registry.load import place
from cytobench.run.cells import Cell, LoadedCell, load_cell
from cytobench.run.outer_fold import OuterFold


@dataclass(frozen=True)
class FoldSpec:
    """A unit of work: which fold of which cell."""

    cell: Cell
    key: str
    fold: int

    def attempt(self, salt: bytes) -> FoldResult | FoldFailure:
        """Do it, wherever this is."""
        return attempt_fold(self, salt)


def attempt_fold(spec: FoldSpec, salt: bytes) -> FoldResult | FoldFailure:
    """Run a fold; whatever the model or the data raise becomes a :class:`FoldFailure`."""
    try:
        return run_fold(load_as_planned(spec.cell, spec.key), spec.fold, salt)
    except (Exception, SystemExit) as error:
        return failure_of(spec.fold, error)


def load_as_planned(cell: Cell, key: str) -> LoadedCell:
    """The cell, as it was when its run was planned; loaded once in a process for all its folds.

    Raises
    ------
    PluginError
        ``E501`` where something of it is another here, or missing.
    """
    if key in _LOADED:
        return _LOADED[key]
    try:
        loaded = load_cell(cell)
    except CytobenchError as error:
        # The process that planned the run has loaded it.
        place = f" ({error.where})" if error.where else ""
        raise _differs(key, f"it cannot be loaded here{place}: {error.message}") from error
    if loaded.key != key:
        raise _differs(key, "data, plugins or packages differ")
    _LOADED.clear()  # the folds of a cell come one after another
    _LOADED[key] = loaded
    return loaded


_LOADED: dict[str, LoadedCell] = {}
"""The cell whose folds are being done; its key stands for its content."""


def _differs(key: str, what: str) -> PluginError:
    return PluginError(
        "E501",
        f"{what}; this worker is not like the process that planned the run",
        where=f"cell {key[:12]}",
        hint="give every worker the same files and environment",
    )


def failure_of(fold: int, error: BaseException) -> FoldFailure:
    """What is stored of a fold that raised."""
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, CytobenchError):
        return FoldFailure(fold, f"[{error.code}] {error.message}", error.where, trace, error.hint)
    return FoldFailure(fold, f"{type(error).__name__}: {error}", place(error), trace)


def run_fold(loaded: LoadedCell, fold: int, salt: bytes) -> FoldResult:
    """Tune, fit and predict one outer fold.

    Parameters
    ----------
    loaded : LoadedCell
    fold : int
        Position in the split plan.
    salt : bytes
        The run store's salt for pseudonyms.

    Raises
    ------
    PluginError
        ``E231`` where the model predicts something that is no prediction.
    """
    with one_thread(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        result = outer_fold(loaded, fold).run(salt)
    said = sorted({f"{item.category.__name__}: {item.message}" for item in caught})
    return FoldResult(**{**result, "warnings": said})


def outer_fold(loaded: LoadedCell, fold: int) -> OuterFold:
    """The steps of a fold, for the task of its cell."""
    if loaded.bench.target.task.kind == BENEFIT:
        from cytobench.run.benefit_fold import BenefitFold

        return BenefitFold(loaded, fold)
    return OuterFold(loaded, fold)
