"""Infliximab in treatment-resistant depression as a simulation.

Raison 2013 (doi:10.1001/2013.jamapsychiatry.4, abstract read): infliximab or placebo, 30 each,
HAM-D17, 12 weeks, one site; no difference overall; CRP above 5 mg/L in 22 of 60, and there response
(at any time, here at week 12) in 8 of 13 against 3 of 9; placebo better at 5 mg/L or less. Response
to placebo is set to 40 % overall (usual: 35 to 40 %, the project's notes, to be checked).
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1001/2013.jamapsychiatry.4",
    caveat="simulated; the subgroup behind it has 22 patients",
)
def sim_infliximab_trd(
    n=60, effect=1.0, inflamed=0.45, noise=0.08, missing=0.03, missingness="mcar", dropout=0.1,
    dropout_mechanism="random", plate_shift=0.15, modulation="review", seed=2025,
):  # fmt: skip
    """Infliximab trial in resistant depression: helps where CRP is high, harms where it is low."""
    from cytobench.simulate import Arm, Design, Moderator, Trial, simulate

    design = Design(
        scale="HAM-D17",
        week=12,
        mean_change=-0.46,
        severity=(23.5, 4),
        medians={"CRP": 2.8},
        population="treatment-resistant major depression",
        arms=(
            Arm("placebo", "placebo"),
            Arm("infliximab", "anti-cytokine", moderators=(Moderator("CRP", -0.19, at=3.5),)),
        ),
    )
    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, noise=noise, missing=missing,
        missingness=missingness, dropout=dropout, dropout_mechanism=dropout_mechanism,
        plate_shift=plate_shift, modulation=modulation, seed=seed, sites=1,
    )  # fmt: skip
    return simulate(sim_infliximab_trd, design, trial)
