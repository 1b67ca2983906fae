"""Simulated negative control: the same trial, but no marker adds to what clinical data tell."""

from cytobench import DatasetCard, dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    caveat="a negative control: what a model gains over clinical data here is noise",
)
def sim_null(n=400, inflamed=0.27, missing=0.03, dropout=0.18, sites=3, seed=2025):
    """Negative control: no marker has an effect, clinical data have their usual one."""
    from cytobench.simulate.trial import Trial, simulate_trial

    card = DatasetCard(
        name="sim_null",
        summary="Simulated negative control: no marker has an effect",
        kind="simulated",
        population="major depression, HAM-D17 of 14 or more",
        outcome="HAM-D17 at week 8",
        treatment="SSRI, alone or with an anti-inflammatory add-on, randomised",
        licence="BSD-3-Clause",
        caveat="a negative control: what a model gains over clinical data here is noise",
    )
    return simulate_trial(Trial(n, 0.0, inflamed, missing, dropout, sites, seed), card)
