"""Cards: the typed metadata that every plugin carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cytobench.core.space import Dimension

BINARY_TASKS = ("response", "remission")
TASKS = (*BINARY_TASKS, "percent_change", "benefit")
Input = Literal["analytes", "clinical"]
INPUTS: tuple[Input, ...] = ("analytes", "clinical")
Role = Literal["model", "floor"]
Assignment = Literal["randomised", "observational", ""]


@dataclass(frozen=True)
class ModelCard:
    """What a model plugin says about itself.

    Parameters
    ----------
    name : str
        The name on the command line; the function's name.
    summary : str
        One line; the first line of the docstring.
    tasks : tuple of str
        The tasks it can be asked.
    inputs : tuple of {"analytes", "clinical"}
        What it may see: the analytes, the clinical baseline (covariates, arm, severity), or both.
    raw : bool
        True where the model wants the cohort's baseline columns untouched (units as declared,
        missing values as NaN) in place of the encoded matrix.
    needs : tuple of str
        Analytes without which the question makes no sense.
    extra : str or None
        The optional dependency group that it needs, named as the package that it imports.
    composed : str or None
        The parameter that lists other model plugins by name; their sources are part of its key.
    solver : str or None
        ``"module:function"``, or ``":function"`` in the plugin's own file, of a
        :class:`cytobench.batched.problem.Solver` that predicts as the model does, for many training
        parts and settings at once; imported where it is first used.
    together : bool
        False where a fold takes long even with the solver: each is then a unit of work of its own,
        stored as soon as it ends, in place of several that advance together.
    excused : mapping
        Code of a check of ``cytobench check`` -> why it is expected to fail.
    role : {"model", "floor"}
        Floors are always in the table and never ranked as a discovery.
    """

    name: str
    summary: str = ""
    tasks: tuple[str, ...] = BINARY_TASKS
    space: Mapping[str, Dimension] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = INPUTS
    raw: bool = False
    needs: tuple[str, ...] = ()
    extra: str | None = None
    composed: str | None = None
    solver: str | None = None
    together: bool = True
    excused: Mapping[str, str] = field(default_factory=dict)
    role: Role = "model"
    version: str = "1"
    licence: str = ""
    citation: str = ""
    origin: str = ""


@dataclass(frozen=True)
class DatasetCard:
    """What is known of a cohort: its origin, what its outcome means, what may be done with it.

    `assignment` says how patients came to their arms: only where chance alone decided is a
    comparison of arms causal; an empty one counts as observational. `cohort` names the patients
    where several datasets are of the same ones, such as plasma and serum: they count as one where
    models are ranked over datasets. `access` says how to get a study that nobody may publish, and
    what of its layout is unconfirmed; `excused` which checks of ``cytobench check`` are expected to
    fail, and why.
    """

    name: str
    summary: str = ""
    kind: Literal["real", "simulated"] = "real"
    population: str = ""
    outcome: str = ""
    treatment: str = ""
    assignment: Assignment = ""
    cohort: str = ""
    version: str = "1"
    licence: str = ""
    citation: str = ""
    origin: str = ""
    caveat: str = ""
    access: str = ""
    excused: Mapping[str, str] = field(default_factory=dict)
