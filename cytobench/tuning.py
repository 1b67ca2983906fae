"""Optuna inside one outer fold: a fresh study, asked and told in order, kept in memory.

The only module that knows Optuna.
"""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.core.errors import CytobenchError, PluginError, UsageError
from cytobench.core.result import Trial
from cytobench.core.space import Choice, Dimension, Float, Int

SAMPLERS = ("tpe", "random", "qmc", "none")


@dataclass(frozen=True)
class Budget:
    """A composed ``tuning`` node.

    Attributes
    ----------
    sampler : {"tpe", "random", "qmc", "none"}
    trials : int
        Settings tried, the plugin's defaults included as the first.
    seconds : float or None
        No new trial starts after this many seconds.
    metric : str
    """

    sampler: str = "tpe"
    trials: int = 30
    seconds: float | None = None
    metric: str = "log_loss"

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise UsageError(
                "E114",
                f"there is no sampler {self.sampler!r}",
                where="tuning.sampler",
                hint=f"there are: {', '.join(SAMPLERS)}",
            )
        if self.sampler != "none" and self.trials < 1:
            raise UsageError("E114", "must be 1 or more; or tuning=off", where="tuning.trials")
        if self.seconds is not None and self.seconds <= 0:
            raise UsageError("E114", "must be above 0", where="tuning.seconds")

    @property
    def off(self) -> bool:
        """No search: the defaults are used."""
        return self.sampler == "none"


def budget_from_config(config: Mapping[str, Any]) -> Budget:
    """Read a ``tuning`` node."""
    try:
        return Budget(**config)
    except TypeError as error:
        raise UsageError("E114", str(error), where="tuning") from error


def search(
    space: Mapping[str, Dimension],
    defaults: Mapping[str, Any],
    score: Callable[[Mapping[str, Any]], float],
    budget: Budget,
    seed: int,
) -> tuple[dict[str, Any], list[Trial]]:
    """Minimise `score` over `space`.

    The first trial is the plugin's defaults, so that tuning never answers with something that
    looked worse than no tuning. A trial that raises or scores NaN is recorded and passed over.

    Returns
    -------
    params : dict
        The best trial's values; empty where there is nothing to tune.
    trials : list of Trial

    Raises
    ------
    PluginError
        ``E230`` where every trial failed.
    """
    if budget.off or not space:
        return {}, []
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=_sampler(budget, seed), direction="minimize")
    first = {name: value for name, value in defaults.items() if _inside(space.get(name), value)}
    if first:
        study.enqueue_trial(first)
    distributions = {name: _distribution(dimension) for name, dimension in space.items()}
    trials: list[Trial] = []
    started = time.monotonic()
    for number in range(budget.trials):
        if number and budget.seconds and time.monotonic() - started >= budget.seconds:
            break
        asked = study.ask(distributions)
        trial = _run(number, dict(asked.params), score)
        trials.append(trial)
        failed = optuna.trial.TrialState.FAIL
        study.tell(asked, trial.score, state=failed if trial.score is None else None)
    return dict(_best(trials).params), trials


def _run(number: int, params: dict[str, Any], score: Callable[[Mapping[str, Any]], float]) -> Trial:
    started = time.perf_counter()
    try:
        value: float | None = score(params)
        error = "" if value == value else "the score is NaN"
    except CytobenchError:
        raise
    except Exception:
        value, error = None, traceback.format_exc(limit=-2)
    seconds = time.perf_counter() - started
    return Trial(number, params, None if error else value, seconds, error)


def _best(trials: Sequence[Trial]) -> Trial:
    scored = [trial for trial in trials if trial.score is not None]
    if not scored:
        raise PluginError(
            "E230",
            f"all {len(trials)} trials failed; the last one:\n{trials[-1].error}",
            hint="try tuning=off to see whether the defaults work",
        )
    return min(scored, key=lambda trial: (trial.score, trial.number))


def _inside(dimension: Dimension | None, value: Any) -> bool:
    if dimension is None:
        return False
    if isinstance(dimension, Choice):
        return value in dimension.options
    return isinstance(value, (int, float)) and dimension.low <= value <= dimension.high


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.options)
    if isinstance(dimension, Int):
        return IntDistribution(dimension.low, dimension.high, log=dimension.log)
    assert isinstance(dimension, Float)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _sampler(budget: Budget, seed: int) -> Any:
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import QMCSampler, RandomSampler, TPESampler

    if budget.sampler == "random":
        return RandomSampler(seed=seed)
    if budget.sampler == "qmc":
        with warnings.catch_warnings():
            # "Experimental" since Optuna 3.0: its results are pinned by our tests.
            warnings.simplefilter("ignore", ExperimentalWarning)
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
    # Spelt out: the defaults of both changed in Optuna 5.
    return TPESampler(seed=seed, multivariate=True, constant_liar=False)
