"""The treatments to choose between: who received which, and what each would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import SplitError, UsageError, did_you_mean
from cytobench.data.cohort import Cohort

Floats = NDArray[np.float64]
SMALLEST_ARM = 20
"""Patients; with fewer, the outcome under an arm is a guess."""


@dataclass(frozen=True)
class Arms:
    """The arms of a cohort that are compared.

    Attributes
    ----------
    names : sequence of str, length k
        Sorted.
    received : array of int, shape (n_patients,)
        Position in `names`; -1 for another arm, or none.
    """

    names: Sequence[str]
    received: NDArray[np.intp]

    def counts(self, among: NDArray[np.bool_]) -> Mapping[str, int]:
        """Arm -> patients, among some."""
        return {
            name: int((self.received[among] == position).sum())
            for position, name in enumerate(self.names)
        }


def arms_of(cohort: Cohort, chosen: Sequence[str] = ()) -> Arms:
    """The arms of a cohort, or those of them that a task names.

    Raises
    ------
    SplitError
        ``E403`` where there are fewer than two.
    UsageError
        ``E110`` for an arm that the cohort does not have.
    """
    labels = np.array(cohort.labels("arm"), dtype=str)
    present = sorted({str(label) for label in labels if label})
    for name in chosen:
        if name not in present:
            raise UsageError(
                "E110",
                f"the cohort has no arm {name!r}",
                where="task.arms",
                hint=did_you_mean(name, present),
            )
    names = sorted(set(chosen)) or present
    if len(names) < 2:
        have = f"is one arm ({names[0]})" if names else "are no treatment arms"
        raise SplitError(
            "E403",
            f"a treatment is chosen between two arms or more, and there {have}",
            where=f"cohort {cohort.name!r}",
            hint=f"task.arms names two or more of: {', '.join(present)}"
            if len(present) > 1
            else "ask for task=response, or name the arm's column with `arm:` in the dataset's "
            "YAML",
        )
    position = {name: number for number, name in enumerate(names)}
    received = np.array([position.get(str(label), -1) for label in labels], dtype=np.intp)
    return Arms(names, received)


def refuse_small(cohort: Cohort, arms: Arms, known: NDArray[np.bool_], smallest: int) -> None:
    """Refuse a comparison with an arm of hardly any patients whose outcome is known.

    Raises
    ------
    SplitError
        ``E404``, with the arms that are large enough.
    """
    counts = arms.counts(known)
    large = [name for name, n in counts.items() if n >= smallest]
    for name, n in counts.items():
        if n < smallest:
            others = f"task.arms=[{','.join(large)}] leaves it out; " if len(large) > 1 else ""
            raise SplitError(
                "E404",
                f"arm {name!r} has {n} patients with a known outcome, fewer than {smallest}: what "
                "others would do under it is a guess",
                where=f"cohort {cohort.name!r}",
                hint=f"{others}task.smallest_arm lowers the limit",
            )


def true_outcomes(cohort: Cohort, outcome: str, arms: Arms) -> Floats:
    """Expected outcome of every patient under each arm, shape (n, k); NaN where nobody knows."""
    columns = [f"{outcome}@{name}" for name in arms.names]
    if cohort.truth is None or any(column not in cohort.truth.columns for column in columns):
        return np.full((len(cohort), len(arms.names)), np.nan)
    found: Floats = cohort.truth[columns].to_numpy(dtype=np.float64, copy=True)
    return found
