"""Several studies as one cohort: common analytes, units and covariates, and what that costs.

Nothing is fitted here. A concentration is converted by the ratio of two units, a name is replaced
by its synonym, and whatever does not mean the same in every study is left out and said to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cells import same_unit
from cytobench.data.cohort import ABOVE, BELOW, Analyte, Cohort, LabelOutcome, ScaleOutcome
from cytobench.data.names import standard_name
from cytobench.data.target import build_target, task_from_config
from cytobench.data.units import conversion_factor

SYNONYMS = {"gender": "sex", "body mass index": "bmi"}
SEXES = {"f": "female", "woman": "female", "female": "female",
         "m": "male", "man": "male", "male": "male"}  # fmt: skip
FEWEST = 2
"""Studies that a comparison needs."""


@dataclass(frozen=True)
class Shared:
    """An analyte that every study measured.

    Attributes
    ----------
    about : Analyte
        Name, unit and scale in the pooled cohort: those of the first study.
    columns, factors : mapping
        Study -> its column, and what its values are multiplied by.
    """

    about: Analyte
    columns: Mapping[str, str]
    factors: Mapping[str, float]


def harmonise(cohorts: Sequence[Cohort], name: str) -> Cohort:
    """Put studies under each other.

    Analytes are matched by their standard names and converted to the first study's unit; one that
    some study lacks, or that cannot be converted, is lost. Where all outcomes are scores on one
    scale they stay scores; else each study's own response becomes the label, and baseline severity,
    whose meaning then differs, is left out. The ``study`` of each patient is kept, sites and plates
    are told apart by it.

    Parameters
    ----------
    cohorts : sequence of Cohort
        Two or more, of different names.
    name : str
        Of the pooled cohort.

    Raises
    ------
    DataError
        ``E381`` for fewer than two studies or one that is there twice, ``E382`` where no analyte
        is left.
    """
    names = [cohort.name for cohort in cohorts]
    if len(set(names)) < max(FEWEST, len(names)):
        raise DataError(
            "E381",
            f"expected two different studies or more, found {', '.join(names) or 'none'}",
            where=f"dataset {name!r}",
            hint="name them as in dataset=gendep+comed",
        )
    notes: list[str] = []
    shared = _shared(cohorts, notes)
    if not shared:
        raise DataError(
            "E382",
            "the studies have no analyte in common",
            where=f"dataset {name!r}",
            hint="`analytes.rename` and `analytes.unit` in their YAML files may show what is one",
        )
    parts = [_analytes(cohort, shared) for cohort in cohorts]
    covariates = _covariates(cohorts, notes)
    outcome, scores = _outcome(cohorts, notes)
    frames = [
        pd.concat([part, _clinical(cohort, covariates), score], axis=1).set_axis(
            [f"{cohort.name}:{patient}" for patient in cohort.patients]
        )
        for cohort, part, score in zip(cohorts, parts, scores, strict=True)
    ]
    table = pd.concat(frames)
    for flag in [column for column in table.columns if column.endswith((BELOW, ABOVE))]:
        table[flag] = table[flag].eq(True)  # studies without such values have no such column
    for cohort in cohorts:
        notes += [f"{cohort.name}: {note}" for note in cohort.notes]

    def known(role: str) -> str | None:
        return role if table[role].notna().any() else None

    return Cohort(
        table,
        [item.about for item in shared],
        outcome,
        _card(cohorts, name),
        tuple(covariates),
        arm=known("arm"),
        site=known("site"),
        plate=known("plate"),
        study="study",
        truth=_truth(cohorts),
        notes=notes,
    )


def _shared(cohorts: Sequence[Cohort], notes: list[str]) -> list[Shared]:
    """Analytes of every study, in the order of the first one; what is lost goes to the notes."""
    columns = {cohort.name: _standard(cohort) for cohort in cohorts}
    first = cohorts[0]
    wanted = dict.fromkeys(name for cohort in cohorts for name in columns[cohort.name])
    found: list[Shared] = []
    lost: dict[str, list[str]] = {}
    for name in wanted:
        lacking = [study for study, known in columns.items() if name not in known]
        if lacking:
            lost.setdefault(f"not measured in {_listed(lacking)}", []).append(name)
            continue
        about = {cohort.name: _about(cohort, columns[cohort.name][name]) for cohort in cohorts}
        factors = {study: _factor(item, about[first.name]) for study, item in about.items()}
        cannot = [study for study, factor in factors.items() if np.isnan(factor)]
        if cannot:
            units = {study: item.unit or "no unit" for study, item in about.items()}
            said = ", ".join(f"{unit} in {study}" for study, unit in units.items())
            lost.setdefault(f"no common unit ({said})", []).append(name)
            continue
        notes += _converted(name, about, factors)
        limits = {
            None if item.llod is None else round(item.llod * factors[study], 12)
            for study, item in about.items()
        }
        found.append(
            Shared(
                replace(
                    about[first.name],
                    name=name,
                    matrix=_one({item.matrix for item in about.values()}),
                    platform=_one({item.platform for item in about.values()}),
                    llod=about[first.name].llod if len(limits) == 1 else None,
                    uloq=None,
                ),
                {study: known[name] for study, known in columns.items()},
                factors,
            )
        )
    notes.insert(0, f"{len(found)} of {len(wanted)} analytes are common to {_listed(columns)}")
    notes += [f"lost, {why}: {', '.join(names)}" for why, names in lost.items()]
    mixed = [item.about.name for item in found if "/" in item.about.matrix]
    if mixed:
        notes.append(
            f"{found[0].about.matrix if len(mixed) == len(found) else 'matrices'} are mixed for "
            f"{', '.join(mixed)}: levels differ between serum and plasma"
        )
    return found


def _standard(cohort: Cohort) -> dict[str, str]:
    """Standard name -> column; a name that nobody knows stands for itself."""
    return {standard_name(column) or column: column for column in cohort.analytes}


def _about(cohort: Cohort, column: str) -> Analyte:
    return next(analyte for analyte in cohort.panel if analyte.name == column)


def _factor(item: Analyte, target: Analyte) -> float:
    """What a study's values are multiplied by; NaN where they cannot be compared."""
    if item.scale != target.scale:
        return float("nan")
    if same_unit(item.unit, target.unit):
        return 1.0
    try:
        return conversion_factor(item.unit, target.unit)
    except DataError:  # units that have no ratio: the analyte is lost, and the notes say why
        return float("nan")


def _converted(
    name: str, about: Mapping[str, Analyte], factors: Mapping[str, float]
) -> Iterable[str]:
    unit = next(iter(about.values())).unit
    return [
        f"{name} of {study} was converted from {about[study].unit} to {unit}"
        for study, factor in factors.items()
        if factor != 1
    ]


def _analytes(cohort: Cohort, shared: Sequence[Shared]) -> pd.DataFrame:
    columns: dict[str, NDArray[np.float64] | NDArray[np.bool_]] = {}
    for item in shared:
        column, factor = item.columns[cohort.name], item.factors[cohort.name]
        columns[item.about.name] = cohort.column(column).to_numpy(dtype=np.float64) * factor
        for suffix in (BELOW, ABOVE):
            if column + suffix in cohort.flags:
                columns[item.about.name + suffix] = cohort.column(column + suffix).to_numpy(
                    dtype=bool
                )
    return pd.DataFrame(columns)


def _covariates(cohorts: Sequence[Cohort], notes: list[str]) -> dict[str, dict[str, str]]:
    """Name -> study -> column, for the covariates that mean one thing in every study."""
    named = {
        cohort.name: {SYNONYMS.get(str(c).casefold(), str(c).casefold()): c for c in
                      cohort.covariates}
        for cohort in cohorts
    }  # fmt: skip
    wanted = dict.fromkeys(name for known in named.values() for name in known)
    found: dict[str, dict[str, str]] = {}
    left_out: dict[str, list[str]] = {}
    for name in wanted:
        lacking = [study for study, known in named.items() if name not in known]
        columns = {study: known[name] for study, known in named.items() if name in known}
        why = f"not recorded in {_listed(lacking)}" if lacking else _differs(cohorts, name, columns)
        if why:
            left_out.setdefault(why, []).append(name)
        else:
            found[name] = columns
    notes += [f"covariates left out, {why}: {', '.join(names)}" for why, names in left_out.items()]
    return found


def _differs(cohorts: Sequence[Cohort], name: str, columns: Mapping[str, str]) -> str:
    values = {cohort.name: _values(cohort, name, columns[cohort.name]) for cohort in cohorts}
    numeric = {study: pd.api.types.is_numeric_dtype(column) for study, column in values.items()}
    if len(set(numeric.values())) > 1:
        said = [study for study, is_number in numeric.items() if not is_number]
        return f"text in {_listed(said)}, a number elsewhere"
    if all(numeric.values()):
        return ""
    levels = [set(column.dropna().astype(str)) for column in values.values()]
    if any(level.isdisjoint(levels[0]) for level in levels[1:]):
        return "the studies have no category in common"
    return ""


def _values(cohort: Cohort, name: str, column: str) -> pd.Series:
    """A covariate in words that every study shares."""
    values = cohort.column(column)
    if name != "sex" or pd.api.types.is_numeric_dtype(values):
        return values
    return values.map(
        lambda text: SEXES.get(str(text).strip().casefold(), text), na_action="ignore"
    )


def _clinical(cohort: Cohort, covariates: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    columns: dict[str, object] = {
        name: _values(cohort, name, columns[cohort.name]).to_numpy()
        for name, columns in covariates.items()
    }
    columns["arm"] = _labels(cohort, "arm")
    roles: tuple[Literal["site", "plate"], ...] = ("site", "plate")
    for role in roles:
        inside = _labels(cohort, role)
        columns[role] = [None if label is None else f"{cohort.name}/{label}" for label in inside]
    columns["study"] = [cohort.name] * len(cohort)
    return pd.DataFrame(columns)


def _labels(cohort: Cohort, role: Literal["arm", "site", "plate"]) -> list[str | None]:
    return [label or None for label in cohort.labels(role)]


def _outcome(
    cohorts: Sequence[Cohort], notes: list[str]
) -> tuple[ScaleOutcome | LabelOutcome, list[pd.DataFrame]]:
    """Scores where all are on one scale, else each study's own response as a label."""
    outcomes = [cohort.outcome for cohort in cohorts]
    scales = [outcome for outcome in outcomes if isinstance(outcome, ScaleOutcome)]
    if len(scales) == len(outcomes) and len({item.scale for item in scales}) == 1:
        before, after = f"{scales[0].scale} before", f"{scales[0].scale} after"
        weeks, cutoffs = (
            {getattr(item, key) for item in scales} for key in ("week", "remission_at")
        )
        if len(weeks) > 1:
            said = ", ".join(f"{c.name}: {s.week}" for c, s in zip(cohorts, scales, strict=True))
            notes.append(f"end points differ in time (weeks; {said})")
        outcome = ScaleOutcome(scales[0].scale, before, after, _same(cutoffs), _same(weeks))
        return outcome, [
            pd.DataFrame(
                {
                    before: cohort.column(scale.baseline).to_numpy(dtype=np.float64),
                    after: cohort.column(scale.endpoint).to_numpy(dtype=np.float64),
                }
            )
            for cohort, scale in zip(cohorts, scales, strict=True)
        ]
    task = task_from_config({"name": "response", "kind": "classification"})
    targets = [build_target(cohort, task) for cohort in cohorts]
    meanings = {c.name: target.meaning for c, target in zip(cohorts, targets, strict=True)}
    notes.append(
        "outcomes differ; each study's own is the label ("
        + "; ".join(f"{study}: {meaning}" for study, meaning in meanings.items())
        + "), and baseline severity is left out"
    )
    return LabelOutcome("label", "response as each study defines it"), [
        pd.DataFrame({"label": target.y}) for target in targets
    ]


def _truth(cohorts: Sequence[Cohort]) -> pd.DataFrame | None:
    """The truth of simulated studies, where all have it."""
    truths = [cohort.truth for cohort in cohorts]
    if any(truth is None for truth in truths):
        return None
    joined = pd.concat([truth for truth in truths if truth is not None], join="inner")
    patients = [f"{cohort.name}:{patient}" for cohort in cohorts for patient in cohort.patients]
    return joined.set_axis(patients)


def _card(cohorts: Sequence[Cohort], name: str) -> DatasetCard:
    cards = [cohort.card for cohort in cohorts]
    return DatasetCard(
        name=name,
        summary=f"{len(cards)} studies as one: {_listed(card.name for card in cards)}",
        kind="simulated" if all(card.kind == "simulated" for card in cards) else "real",
        population=_one([card.population for card in cards]),
        outcome=_one([card.outcome for card in cards]),
        treatment=_one([card.treatment for card in cards]),
        licence=_one([card.licence for card in cards]),
        citation=_one([card.citation for card in cards]),
        caveat=_one([card.caveat for card in cards]),
        # Which study a patient was in decided between which arms: chance alone did not.
        assignment="observational",
    )


def _one(texts: Iterable[str]) -> str:
    """Different texts, each once; the usual case is one."""
    return " / ".join(dict.fromkeys(text for text in texts if text))


def _same(values: set[float | None]) -> float | None:
    return next(iter(values)) if len(values) == 1 else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
