"""Optuna inside one outer fold: a fresh study, asked and told in order, kept in memory.

A search is a generator: it yields settings and is sent how they scored. Whoever scores them may so
take those of many folds together.

The only module that knows Optuna.
"""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.core.errors import CytobenchError, PluginError, UsageError
from cytobench.core.result import Trial
from cytobench.core.settings import real, truth, whole
from cytobench.core.space import Choice, Dimension, Float, Int

SAMPLERS = ("tpe", "random", "qmc", "none")
STARTUP = 10
"""Trials that TPE draws at random before it goes by what it was told."""
Params = Mapping[str, Any]
Search = Generator[list[Params], Sequence["Scored"], tuple[dict[str, Any], list[Trial]]]


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
    batched: bool = True

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise UsageError(
                "E114",
                f"there is no sampler {self.sampler!r}",
                where="tuning.sampler",
                hint=f"there are: {', '.join(SAMPLERS)}",
            )
        if self.sampler != "none":
            whole(self.trials, "E114", "tuning.trials", 1)
        if self.seconds is not None and real(self.seconds, "E114", "tuning.seconds") <= 0:
            raise UsageError("E114", "must be above 0", where="tuning.seconds")
        truth(self.batched, "E114", "tuning.batched")

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


@dataclass(frozen=True)
class Scored:
    """How a setting did: its score, lower is better, or why there is none."""

    score: float | None
    seconds: float
    error: str = ""


def search(
    space: Mapping[str, Dimension],
    defaults: Params,
    score: Callable[[Params], float],
    budget: Budget,
    seed: int,
) -> tuple[dict[str, Any], list[Trial]]:
    """Minimise `score` over `space`, see :func:`searching`."""
    steps = searching(space, defaults, budget, seed)
    try:
        asked = next(steps)
        while True:
            asked = steps.send([measured(score, params) for params in asked])
    except StopIteration as end:
        found: tuple[dict[str, Any], list[Trial]] = end.value
        return found


def searching(
    space: Mapping[str, Dimension], defaults: Params, budget: Budget, seed: int
) -> Search:
    """Look for the setting with the lowest score.

    The first trial is the plugin's defaults, so that tuning never answers with something that
    looked worse than no tuning. A trial without a score is recorded and passed over.

    Yields
    ------
    list of mapping
        Settings to be scored next: all that the sampler draws without knowing how others did.

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
    while len(trials) < budget.trials:
        if trials and budget.seconds and time.monotonic() - started >= budget.seconds:
            break
        count = min(_at_once(budget, len(trials)), budget.trials - len(trials))
        asked = [study.ask(distributions) for _ in range(count)]
        settings = [dict(one.params) for one in asked]
        scores = yield list(settings)
        for one, params, scored in zip(asked, settings, scores, strict=True):
            trials.append(Trial(one.number, params, scored.score, scored.seconds, scored.error))
            state = optuna.trial.TrialState.FAIL if scored.score is None else None
            study.tell(one, scored.score, state=state)
    return dict(_best(trials).params), trials


def _at_once(budget: Budget, done: int) -> int:
    """How many settings the sampler draws without knowing how the last ones did."""
    if budget.seconds or (budget.sampler == "qmc" and not done):
        return 1  # the sequence begins once the space is known from a first trial
    if budget.sampler == "tpe":
        return max(STARTUP - done, 1)
    return budget.trials


def measured(score: Callable[[Params], float], params: Params) -> Scored:
    """Score a setting; what it raises is noted, except what is wrong with the plugin itself."""
    started = time.perf_counter()
    try:
        value: float | None = score(params)
        error = "" if value == value else "the score is NaN"
    except CytobenchError:
        raise
    except Exception:
        value, error = None, traceback.format_exc(limit=-2)
    return Scored(None if error else value, time.perf_counter() - started, error)


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
    return TPESampler(seed=seed, multivariate=True, constant_liar=False, n_startup_trials=STARTUP)
