"""A trial in which a CRP cut-off is the best rule there is: a positive control for benefit.

Which arm is better depends on true CRP alone; the lines cross at `cutoff`, near the median: a
qualitative interaction (Gail & Simon 1985, doi:10.2307/2530862). The size is about twice that of
GENDEP (Uher 2014, doi:10.1176/appi.ajp.2014.14010094). Made up otherwise.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    caveat="simulated; a positive control, no drug is known to act like this",
)
def sim_crossover(
    n=400, effect=1.0, inflamed=0.27, cutoff=1.45, noise=0.08, missing=0.03, missingness="mcar",
    dropout=0.18, dropout_mechanism="random", sites=3, site_effect=0.1, plate_shift=0.15,
    modulation="review", seed=2025,
):  # fmt: skip
    """Positive control for benefit: below a CRP cut-off one arm is better, above it the other."""
    from cytobench.simulate import Arm, Design, Moderator, Trial, simulate

    design = Design(
        scale="HAM-D17",
        week=8,
        mean_change=-0.462,
        arms=(
            Arm("serotonergic", "SSRI", moderators=(Moderator("CRP", 0.1, at=cutoff),)),
            Arm("dopaminergic", "atypical", moderators=(Moderator("CRP", -0.1, at=cutoff),)),
        ),
    )
    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, noise=noise, missing=missing,
        missingness=missingness, dropout=dropout, dropout_mechanism=dropout_mechanism,
        sites=sites, site_effect=site_effect, plate_shift=plate_shift,
        modulation=modulation, seed=seed,
    )  # fmt: skip
    return simulate(sim_crossover, design, trial)
