"""What ``cell.json`` says of a cell: the fields that readers rely on, and their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from cytobench.core.stated import stated


class Model(TypedDict):
    """Of the model's card."""

    name: str
    source: str
    role: NotRequired[str]
    summary: NotRequired[str]
    version: NotRequired[str]
    licence: NotRequired[str]
    citation: NotRequired[str]
    inputs: NotRequired[Sequence[str]]


class Dataset(TypedDict):
    """Of the cohort's card."""

    name: str
    fingerprint: str
    kind: NotRequired[str]
    summary: NotRequired[str]
    population: NotRequired[str]
    outcome: NotRequired[str]
    treatment: NotRequired[str]
    assignment: NotRequired[str]
    cohort: NotRequired[str]
    version: NotRequired[str]
    licence: NotRequired[str]
    citation: NotRequired[str]
    origin: NotRequired[str]
    caveat: NotRequired[str]
    access: NotRequired[str]
    patients: NotRequired[int]
    analytes: NotRequired[int]
    notes: NotRequired[Sequence[str]]


class Task(TypedDict):
    """What is predicted."""

    name: str
    kind: Literal["classification", "regression", "benefit"]
    meaning: NotRequired[str]
    thresholds: NotRequired[Sequence[float]]
    decide_at: NotRequired[float]


class Protocol(TypedDict):
    """How the splits were made."""

    name: str
    claim: NotRequired[str]
    folds: NotRequired[int | None]
    repeats: NotRequired[int | None]
    train_fraction: NotRequired[float]


class Config(TypedDict):
    """The settings that decide a cell's numbers."""

    model: Mapping[str, Any]
    preprocess: Mapping[str, Any]
    tuning: Mapping[str, Any]
    seed: int


class Finding(TypedDict):
    """Of the audit of the cohort."""

    code: str
    severity: str
    sentence: str
    where: str
    acknowledged: str | None


class Effect(TypedDict):
    """An estimate with its interval."""

    value: float
    low: float | None
    high: float | None


class Marker(TypedDict):
    """What one marker tells of the outcome, and of which arm is better."""

    marker: str
    n: int
    prognosis: Effect
    p_prognosis: float
    interaction: Effect
    p_interaction: float
    verdict: Literal["prognostic", "moderator", "both", "neither shown"]


class Benefit(TypedDict):
    """Arms and markers, where a treatment is chosen."""

    arms: Mapping[str, int]
    fitted: bool
    moderation: Sequence[Marker]


class About(TypedDict):
    """A cell, as it is described beside its folds."""

    folds: int
    model: Model
    dataset: Dataset
    task: Task
    n: int
    events: int | None
    outcome_mean: float
    protocol: Protocol
    plan: str
    config: Config
    permutation: int
    test_labels: Sequence[str]
    notes: Sequence[str]
    beside: NotRequired[Mapping[str, str]]
    shift: NotRequired[Mapping[str, Any] | None]
    audit: NotRequired[Sequence[Finding] | None]
    benefit: NotRequired[Benefit]
    versions: Mapping[str, str]
    git_commit: NotRequired[str]
    command: NotRequired[str]


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a ``cell.json``, seen to be what its readers expect.

    Raises
    ------
    ValueError
        With the field that is missing or of another kind.
    """
    about: dict[str, Any] = stated(About, document)
    folds = about["folds"]
    if folds < 1 or len(about["test_labels"]) != folds:
        raise ValueError(f"has {folds} folds and {len(about['test_labels'])} labels of test parts")
    if wrong := about.get("beside", {}).keys() - {str(fold) for fold in range(folds)}:
        raise ValueError(f"beside: {min(wrong)[:80]!r} is no fold of {folds}")
    return about
