"""PREDDICT as a simulation: vortioxetine with celecoxib or placebo, and no moderation.

The trial (doi:10.1111/jnc.15946, abstract read): 119 patients, strata of CRP up to and above
3 mg/L, 6 weeks; no effect of celecoxib, of the stratum, or of both together. Primary outcome MADRS
(protocol, doi:10.1186/s13063-018-2829-7, abstract read). Hence inflammation neither predicts nor
moderates here; IFN-γ and CCL2 keep their weights from the project's notes, to be checked.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1111/jnc.15946",
    caveat="simulated; a trial without moderation: what a model finds of it is noise",
)
def sim_preddict(
    n=119, effect=1.0, inflamed=0.27, noise=0.08, missing=0.03, missingness="mcar",
    dropout=0.18, dropout_mechanism="random", plate_shift=0.15, modulation="review", seed=2025,
):  # fmt: skip
    """PREDDICT trial: vortioxetine with celecoxib or placebo, CRP tells nothing."""
    from cytobench.simulate import Arm, Design, Trial, simulate

    design = Design(
        scale="MADRS",
        week=6,
        mean_change=-0.42,
        prognosis={"IFN-γ": 0.06, "CCL2": 0.03},
        population="mostly treatment-resistant major depression",
        arms=(
            Arm("vortioxetine + placebo", "SSRI"),
            Arm("vortioxetine + celecoxib", "anti-inflammatory"),
        ),
    )
    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, noise=noise, missing=missing,
        missingness=missingness, dropout=dropout, dropout_mechanism=dropout_mechanism,
        plate_shift=plate_shift, modulation=modulation, seed=seed, sites=1,
    )  # fmt: skip
    return simulate(sim_preddict, design, trial)
