"""Simulated negative control: the same trial, but no marker adds to what clinical data tell.

Sites do not differ unless asked to: they would shift levels and outcomes, and markers would tell.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    caveat="a negative control: what a model gains over clinical data here is noise",
)
def sim_null(
    n=400, inflamed=0.27, missing=0.03, dropout=0.18, sites=3, seed=2025, noise=0.08,
    missingness="mcar", dropout_mechanism="random", site_effect=0.0, plate_shift=0.15,
    modulation="review",
):  # fmt: skip
    """Negative control: no marker has an effect, clinical data have their usual one."""
    from cytobench.simulate import INFLAMED_MDD, Trial, simulate

    trial = Trial(
        n=n, effect=0.0, inflamed=inflamed, missing=missing, dropout=dropout, sites=sites,
        seed=seed, noise=noise, missingness=missingness, dropout_mechanism=dropout_mechanism,
        site_effect=site_effect, plate_shift=plate_shift, modulation=modulation,
    )  # fmt: skip
    return simulate(sim_null, INFLAMED_MDD, trial)
