"""The seed review's five classes of antidepressants in one trial.

Classes: doi:10.1038/s41398-025-03532-y (abstract read). That an SSRI is the better the lower CRP,
a tricyclic (nortriptyline) and an atypical (bupropion) the better the higher it is, follows GENDEP
(Uher 2014, doi:10.1176/appi.ajp.2014.14010094) and CO-MED (Jha 2017,
doi:10.1016/j.psyneuen.2017.01.023), both abstracts read, at about their sizes; the SNRI in between
and ketamine with IL-6 are assumptions. No class is better on average.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1038/s41398-025-03532-y",
    caveat="simulated; nobody has randomised these five classes by inflammation",
)
def sim_classes(
    n=500, effect=1.0, inflamed=0.27, noise=0.08, missing=0.03, missingness="mcar",
    dropout=0.18, dropout_mechanism="random", sites=5, site_effect=0.1, plate_shift=0.15,
    modulation="review", seed=2025,
):  # fmt: skip
    """Five classes of antidepressants: SSRI, SNRI, TCA, atypical and ketamine."""
    from cytobench.simulate import Arm, Design, Moderator, Trial, simulate

    design = Design(
        scale="HAM-D17",
        week=8,
        mean_change=-0.462,
        arms=(
            Arm("SSRI", "SSRI", moderators=(Moderator("CRP", 0.05, at=1.45),)),
            Arm("SNRI", "SNRI"),
            Arm("TCA", "TCA", moderators=(Moderator("CRP", -0.05, at=1.45),)),
            Arm("atypical", "atypical", moderators=(Moderator("CRP", -0.05, at=1.45),)),
            Arm("ketamine", "ketamine", moderators=(Moderator("IL-6", -0.04, at=1.2),)),
        ),
    )
    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, noise=noise, missing=missing,
        missingness=missingness, dropout=dropout, dropout_mechanism=dropout_mechanism,
        sites=sites, site_effect=site_effect, plate_shift=plate_shift,
        modulation=modulation, seed=seed,
    )  # fmt: skip
    return simulate(sim_classes, design, trial)
