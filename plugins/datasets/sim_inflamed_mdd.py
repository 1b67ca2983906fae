"""Simulated trial: depression with an inflamed subtype, SSRI with or without an add-on.

Sites do not differ unless asked to, so that it is its control `sim_null` but for the effect.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1038/s41398-025-03532-y",
    caveat="simulated; that the inflamed gain from the add-on is assumed, not shown",
)
def sim_inflamed_mdd(
    n=400, effect=1.0, inflamed=0.27, missing=0.03, dropout=0.18, sites=3, seed=2025, noise=0.08,
    missingness="mcar", dropout_mechanism="random", site_effect=0.0, plate_shift=0.15,
    modulation="review",
):  # fmt: skip
    """Depression with an inflamed subtype, two arms, 24 markers; the truth is known."""
    from cytobench.simulate import INFLAMED_MDD, Trial, simulate

    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, missing=missing, dropout=dropout, sites=sites,
        seed=seed, noise=noise, missingness=missingness, dropout_mechanism=dropout_mechanism,
        site_effect=site_effect, plate_shift=plate_shift, modulation=modulation,
    )  # fmt: skip
    return simulate(sim_inflamed_mdd, INFLAMED_MDD, trial)
