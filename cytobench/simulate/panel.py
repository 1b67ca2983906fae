"""Baseline markers in major depression: units, medians, spread and limits of detection.

The figures are those of the project's literature notes, most of them quoted from memory there:
defaults for a simulation, to be checked before anybody cites them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

PLATE_SHIFT = 0.15
"""Usual SD of plate effects on the log scale; shifts of 0.1 to 0.3, a CV of 10 to 20 %."""
NOISE = 0.08
"""Usual coefficient of variation within a plate; 5 to 10 %."""


@dataclass(frozen=True)
class Marker:
    """A log-normal marker.

    Attributes
    ----------
    median : float
        In `unit`.
    log_sd : float
        Standard deviation of the natural logarithm as measured, a usual assay included.
    llod : float
        Lower limit of detection, in `unit`.
    loads : dict
        Loadings of its standardised logarithm on the latent factors and confounders of
        :mod:`cytobench.simulate.biology`; what they leave of the unit variance is its own.
    """

    name: str
    unit: str
    median: float
    log_sd: float
    llod: float
    loads: dict[str, float]

    @property
    def true_sd(self) -> float:
        """SD of the natural logarithm of the true level: without plates and noise as usual."""
        return sqrt(self.log_sd**2 - PLATE_SHIFT**2 - NOISE**2)


MARKERS = (
    Marker(
        "CRP",
        "mg/L",
        1.45,
        1.2,
        0.1,
        {"inflammation": 0.62, "bmi": 0.472, "smoking": 0.1, "female": 0.06},
    ),
    Marker("IL-6", "pg/mL", 1.2, 0.75, 0.1, {"inflammation": 0.582, "bmi": 0.374}),
    Marker("TNF-α", "pg/mL", 2.2, 0.45, 0.1, {"inflammation": 0.694, "tnf": 0.513, "age": 0.226}),
    Marker("IL-1β", "pg/mL", 0.15, 0.9, 0.05, {"inflammation": 0.45}),
    Marker("IL-8", "pg/mL", 5.0, 0.6, 0.1, {"inflammation": 0.2, "chemokine": 0.55}),
    Marker("IL-10", "pg/mL", 0.4, 0.75, 0.05, {"inflammation": 0.566}),
    Marker("IFN-γ", "pg/mL", 4.5, 0.8, 0.4, {"th1": 0.66}),
    Marker("IL-2", "pg/mL", 0.3, 0.9, 0.1, {"th1": 0.66}),
    Marker("IL-4", "pg/mL", 0.05, 0.9, 0.02, {"th2": 0.733}),
    Marker("IL-5", "pg/mL", 0.5, 0.9, 0.1, {"th2": 0.733}),
    Marker("IL-12p70", "pg/mL", 0.25, 0.9, 0.1, {"th1": 0.66}),
    Marker("IL-13", "pg/mL", 1.0, 0.9, 0.25, {"th2": 0.733}),
    Marker("IL-17A", "pg/mL", 2.0, 0.8, 0.3, {"inflammation": 0.2}),
    Marker("IL-1RA", "pg/mL", 250.0, 0.6, 10.0, {"inflammation": 0.45, "bmi": 0.2}),
    Marker("sTNFR2", "pg/mL", 2300.0, 0.3, 10.0, {"inflammation": 0.6, "tnf": 0.513}),
    Marker("CCL2", "pg/mL", 120.0, 0.4, 2.0, {"chemokine": 0.618}),
    Marker("CXCL10", "pg/mL", 250.0, 0.55, 2.0, {"chemokine": 0.588}),
    Marker("CCL3", "pg/mL", 15.0, 0.6, 3.0, {"chemokine": 0.583}),
    Marker("CCL4", "pg/mL", 80.0, 0.5, 2.0, {"chemokine": 0.595}),
    Marker("CCL11", "pg/mL", 120.0, 0.45, 3.0, {"chemokine": 0.604}),
    Marker("VEGF", "pg/mL", 100.0, 0.75, 5.0, {"inflammation": 0.2}),
    Marker("GM-CSF", "pg/mL", 0.3, 0.9, 0.15, {}),
    Marker("TGF-β1", "ng/mL", 20.0, 0.5, 0.5, {}),
    Marker("MIF", "ng/mL", 10.0, 0.6, 0.5, {"inflammation": 0.2}),
)
"""Loadings follow from the rank correlations of measured levels: CRP-IL-6 0.5, IL-6-TNF-α 0.35,
TNF-α-sTNFR2 0.5, IL-6-IL-10 0.3, Th1 block 0.4, Th2 block 0.5, chemokines 0.3, BMI-CRP 0.45,
BMI-IL-6 0.35, age-TNF-α 0.2, by way of r = 2 sin(π ρ / 6) and divided by the share of the spread
that is not the assay's. That women have a CRP higher by about 0.15 log units is an assumption.

The notes disagree with themselves twice, and a simulation has to choose. Their CRP (median 1.6, log
SD 1.15) puts 29 % above 3 and 66 % above 1 mg/L; Osimo 2019 (doi:10.1017/S0033291719001454,
abstract read) found 27 % and 58 %. A median of 1.45 and a log SD of 1.2 stay within a tenth of the
notes and give 27 % and 62 %. Their shares below the limit (IL-1β 25 %, IL-4 30 %) exceed what their
own medians and spreads give (11 %, 15 %); the latter are kept."""

NAMES = tuple(marker.name for marker in MARKERS)
"""Names of the markers, in the order of every array of levels."""

PART = 50_000


def in_parts(n: int) -> Iterator[slice]:
    """Patients a few at a time: what is computed for them then stays in the processor's cache."""
    for start in range(0, n, PART):
        yield slice(start, min(start + PART, n))
