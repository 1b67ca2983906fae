"""What makes a trial: scale, patients, arms, and what drives the outcome. A plugin declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.target import REMISSION_AT
from cytobench.simulate.modulation import CLASSES
from cytobench.simulate.panel import MARKERS, NAMES, Marker

INFLAMMATION = "inflammation"
"""The mean of CRP, IL-6 and TNF-α on the standardised logarithmic scale, as a moderator."""
PROGNOSIS: Mapping[str, float] = {
    INFLAMMATION: 0.06, "IL-8": 0.03, "IFN-γ": 0.06, "CCL2": 0.03, "MIF": 0.055,
}  # fmt: skip
"""Relative change of the score per SD of a true log level, in every arm; above 0 is worse.

Worse with inflammation (Strawbridge 2015), IL-8 (Liu JJ 2020: lower in responders, SMD about
-0.28), IFN-γ and CCL2 (CAN-BIND-1: Husain 2023, doi:10.1017/S109285292300233X) and MIF (its mRNA in
GENDEP: Cattaneo 2013, doi:10.1038/npp.2012.191). Only the directions for IFN-γ, CCL2 and MIF were
read in the papers; the rest is from the project's literature notes, to be checked before citing,
and the weights are set to make 400 patients instructive: at the optimistic end."""


@dataclass(frozen=True)
class Scale:
    """A symptom scale: usual scores before treatment, and its upper end.

    Attributes
    ----------
    column : str
        First word of the columns of its scores.
    mean, sd : float
        Before treatment, before patients below `minimum` are left out.
    minimum : int
        Least score for inclusion.
    highest : int
        Highest score that the scale has.
    """

    column: str
    mean: float
    sd: float
    minimum: int
    highest: int


SCALES: Mapping[str, Scale] = {
    "HAM-D17": Scale("hamd", 22, 4, 14, 52),
    "MADRS": Scale("madrs", 30, 6, 20, 60),
    "QIDS-SR16": Scale("qids", 16, 4, 11, 27),
}
"""Means and SDs from the project's literature notes; minima are usual inclusion criteria."""


@dataclass(frozen=True)
class Moderator:
    """A marker on which the effect of one arm depends.

    The arm's relative change of the score gains ``slope * ln(level / at)``; for ``"inflammation"``
    it gains ``slope * (level - at)``, both in SDs. A slope below 0 helps those above `at` and
    harms those below.
    """

    marker: str
    slope: float
    at: float

    def __post_init__(self) -> None:
        _known("marker", self.marker, (*NAMES, INFLAMMATION))
        if self.marker != INFLAMMATION and self.at <= 0:
            raise DataError("E356", f"a concentration must be above 0, not {self.at!r}")


@dataclass(frozen=True)
class Arm:
    """One treatment.

    Attributes
    ----------
    drug_class : str
        Decides how levels move until the end point; see :mod:`cytobench.simulate.modulation`.
    change : float
        Relative change of the score on top of the design's mean, no marker effect; below 0 is
        better.
    ratio : int
        Patients for this arm in each block of the randomisation.
    """

    name: str
    drug_class: str
    change: float = 0.0
    moderators: tuple[Moderator, ...] = ()
    ratio: int = 1

    def __post_init__(self) -> None:
        _known("drug class", self.drug_class, CLASSES)


@dataclass(frozen=True)
class Design:
    """A randomised trial.

    Attributes
    ----------
    scale : str
        ``"HAM-D17"``, ``"MADRS"`` or ``"QIDS-SR16"``.
    week : int
        Of the end point.
    arms : tuple of Arm
    mean_change : float
        Relative change of the score of a usual patient; -0.5 halves it.
    severity : pair of float, optional
        Mean and SD of the score before treatment where they are not the scale's usual ones.
    least_crp, least_failed : float, int
        Inclusion criteria beside severity: true C-reactive protein in mg/L, failed treatments.
    medians : mapping
        Of markers whose median is not that of :data:`~cytobench.simulate.panel.MARKERS`.
    prognosis : mapping
        Marker (or ``"inflammation"``) -> weight, the same in every arm.
    resistance : float
        Weight of the product of inflammation and failed treatments above two, in every arm.
    population : str
        In words, for the card.

    Raises
    ------
    DataError
        ``E356`` for a scale, marker or drug class that there is not, or no arm.
    """

    scale: str
    week: int
    arms: tuple[Arm, ...]
    mean_change: float
    severity: tuple[float, float] | None = None
    least_crp: float = 0.0
    least_failed: int = 0
    medians: Mapping[str, float] = field(default_factory=dict)
    prognosis: Mapping[str, float] = field(default_factory=lambda: PROGNOSIS)
    resistance: float = 0.0
    population: str = "major depression"

    def __post_init__(self) -> None:
        _known("scale", self.scale, SCALES)
        for name in self.medians:
            _known("marker", name, NAMES)
        for name in self.prognosis:
            _known("marker", name, (*NAMES, INFLAMMATION))
        if not self.arms or len({arm.name for arm in self.arms}) < len(self.arms):
            raise DataError("E356", "a design needs at least one arm, and each a name of its own")

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The panel with this design's medians."""
        return tuple(
            replace(marker, median=self.medians.get(marker.name, marker.median))
            for marker in MARKERS
        )

    @property
    def usual(self) -> Scale:
        """The scale, with the mean and SD of this design's patients."""
        scale = SCALES[self.scale]
        mean, sd = self.severity or (scale.mean, scale.sd)
        return replace(scale, mean=mean, sd=sd)

    @property
    def names(self) -> list[str]:
        """Of the arms."""
        return [arm.name for arm in self.arms]

    @property
    def remission_at(self) -> float:
        """The score at or below which a patient is in remission."""
        return REMISSION_AT[self.scale]

    @property
    def columns(self) -> tuple[str, str]:
        """Columns of the score before and after."""
        return f"{self.usual.column}_baseline", f"{self.usual.column}_week{self.week}"

    def describe(self, card: DatasetCard) -> DatasetCard:
        """The card, with population, outcome and treatment in words."""
        criteria = [f"{self.scale} of {self.usual.minimum} or more"]
        if self.least_crp:
            criteria.append(f"CRP of {self.least_crp:g} mg/L or more")
        if self.least_failed:
            criteria.append(f"failed treatments: {self.least_failed} or more")
        return replace(
            card,
            population=", ".join((self.population, *criteria)),
            outcome=f"{self.scale} at week {self.week}",
            treatment=" or ".join(arm.name for arm in self.arms) + ", randomised",
            assignment="randomised",
        )


def _known(what: str, name: str, options: Mapping[str, object] | tuple[str, ...]) -> None:
    if name not in options:
        raise DataError(
            "E356", f"there is no {what} {name!r}", hint=did_you_mean(name, list(options))
        )
