"""Simulated trial: depression with an inflamed subtype, SSRI with or without an add-on."""

from cytobench import DatasetCard, dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1038/s41398-025-03532-y",
    caveat="simulated; that the inflamed gain from the add-on is assumed, not shown",
)
def sim_inflamed_mdd(
    n=400, effect=1.0, inflamed=0.27, missing=0.03, dropout=0.18, sites=3, seed=2025
):
    """Depression with an inflamed subtype, two arms, 24 markers; the truth is known."""
    from cytobench.simulate.trial import Trial, simulate_trial

    card = DatasetCard(
        name="sim_inflamed_mdd",
        summary="Simulated trial in depression with an inflamed subtype; the truth is known",
        kind="simulated",
        population="major depression, HAM-D17 of 14 or more",
        outcome="HAM-D17 at week 8",
        treatment="SSRI, alone or with an anti-inflammatory add-on, randomised",
        licence="BSD-3-Clause",
        citation="10.1038/s41398-025-03532-y",
        caveat="simulated; that the inflamed gain from the add-on is assumed, not shown",
    )
    return simulate_trial(Trial(n, effect, inflamed, missing, dropout, sites, seed), card)
