"""Parameters of a simulated trial, checked before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from cytobench.core.errors import DataError
from cytobench.simulate.modulation import ACCOUNTS
from cytobench.simulate.panel import NOISE, PLATE_SHIFT

USUAL = {
    "n": 400, "effect": 1.0, "inflamed": 0.27, "missing": 0.03, "dropout": 0.18, "sites": 3,
    "seed": 2025, "noise": NOISE, "plate_shift": PLATE_SHIFT, "site_effect": 0.1,
    "missingness": "mcar", "dropout_mechanism": "random", "modulation": "review",
}  # fmt: skip
CHOICES = {
    "missingness": ("mcar", "mar"),
    "dropout_mechanism": ("random", "severity"),
    "modulation": ACCOUNTS,
}


@dataclass(frozen=True)
class Trial:
    """Parameters of the simulated trial.

    Attributes
    ----------
    n : int
        Patients randomised.
    effect : float
        1 for the published size of marker effects, 0 for none (main and moderating).
    inflamed : float
        Prevalence of the inflamed subtype among candidates.
    missing : float
        Share of marker values that are lost.
    dropout : float
        Share of patients lost before the end point; 15 to 25 % by week 8 to 12 are usual.
    sites : int
        One after the other in the order of recruitment; plates follow the same order.
    seed : int
    noise, plate_shift : float
        Of the assay: coefficient of variation within a plate, SD of plates in log units.
    site_effect : float
        SD of sites: of measured levels in SDs of their logarithm, as samples are handled
        differently, and of the outcome in SDs of what nothing else explains. Sites then confound.
    missingness : {"mcar", "mar"}
        Whether values are lost completely at random or more in older and more severe patients.
    dropout_mechanism : {"random", "severity"}
        Whether patients are lost at random or more with a higher score before treatment.
    modulation : {"review", "meta_analysis"}
        How levels move until the end point, see :mod:`cytobench.simulate.modulation`.

    Raises
    ------
    DataError
        ``E351`` for a value out of range, ``E352`` for one that is no number of the right kind.
    """

    n: int
    effect: float
    inflamed: float
    missing: float
    dropout: float
    sites: int
    seed: int
    noise: float = NOISE
    plate_shift: float = PLATE_SHIFT
    site_effect: float = 0.0
    missingness: str = "mcar"
    dropout_mechanism: str = "random"
    modulation: str = "review"

    def __post_init__(self) -> None:
        for name in ("n", "sites", "seed"):
            self._check_kind(name, Integral, "a whole number")
        numbers = ("effect", "inflamed", "missing", "dropout", "noise", "plate_shift")
        for name in (*numbers, "site_effect"):
            self._check_kind(name, Real, "a number")
        checks = (
            ("n", self.n >= 40, "at least 40"),
            ("effect", 0 <= self.effect <= 10, "between 0 and 10"),
            ("inflamed", 0 <= self.inflamed <= 1, "between 0 and 1"),
            ("missing", 0 <= self.missing <= 0.9, "between 0 and 0.9"),
            ("dropout", 0 <= self.dropout <= 0.9, "between 0 and 0.9"),
            ("sites", 1 <= self.sites <= self.n, "between 1 and n"),
            ("seed", self.seed >= 0, "0 or more"),
            ("noise", 0 <= self.noise <= 2, "between 0 and 2"),
            ("plate_shift", 0 <= self.plate_shift <= 2, "between 0 and 2"),
            ("site_effect", 0 <= self.site_effect <= 2, "between 0 and 2"),
            *(
                (name, getattr(self, name) in options, " or ".join(map(repr, options)))
                for name, options in CHOICES.items()
            ),
        )
        for name, fine, expected in checks:
            if not fine:
                raise self._error("E351", name, expected)

    def _check_kind(self, name: str, kind: type, expected: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error("E352", name, expected)

    def _error(self, code: str, name: str, expected: str) -> DataError:
        return DataError(
            code,
            f"{name} must be {expected}, not {getattr(self, name)!r}",
            where="simulated trial",
            hint=f"for example dataset.{name}={USUAL[name]}",
        )
