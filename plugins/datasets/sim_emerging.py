"""Emerging interventions as arms of one trial; that the inflamed gain most is a hypothesis.

The seed review (doi:10.1038/s41398-025-03532-y, abstract read) names low-dose interleukin 2, vagus
nerve stimulation and microbiota-targeted treatment, and holds that all work best where inflammation
guides them. A small trial of interleukin 2 (Poletti 2024, doi:10.1016/j.bbi.2024.02.019, abstract
read, 36 patients) found it better than placebo; that the benefit lies in the inflamed is the
hypothesis built in here. Sizes are assumptions.
"""

from cytobench import dataset


@dataset(
    kind="simulated",
    licence="BSD-3-Clause",
    citation="10.1038/s41398-025-03532-y",
    caveat="simulated; a hypothesis: no trial has shown that inflammation tells whom these help",
)
def sim_emerging(
    n=300, effect=1.0, inflamed=0.27, noise=0.08, missing=0.03, missingness="mcar",
    dropout=0.18, dropout_mechanism="random", sites=4, site_effect=0.1, plate_shift=0.15,
    modulation="review", seed=2025,
):  # fmt: skip
    """Emerging interventions: interleukin 2, vagus nerve, microbiota, anti-cytokine, as usual."""
    from cytobench.simulate import INFLAMMATION, Arm, Design, Moderator, Trial, simulate

    def guided(slope):
        return (Moderator(INFLAMMATION, slope, at=-0.7),)

    design = Design(
        scale="HAM-D17",
        week=12,
        mean_change=-0.40,
        least_failed=1,
        arms=(
            Arm("usual treatment", "SSRI"),
            Arm("low-dose IL-2", "low-dose IL-2", moderators=guided(-0.06)),
            Arm("vagus nerve stimulation", "vagus nerve stimulation", moderators=guided(-0.06)),
            Arm("microbiota-targeted", "microbiota", moderators=guided(-0.04)),
            Arm("anti-cytokine", "anti-cytokine", moderators=guided(-0.1)),
        ),
    )
    trial = Trial(
        n=n, effect=effect, inflamed=inflamed, noise=noise, missing=missing,
        missingness=missingness, dropout=dropout, dropout_mechanism=dropout_mechanism,
        sites=sites, site_effect=site_effect, plate_shift=plate_shift,
        modulation=modulation, seed=seed,
    )  # fmt: skip
    return simulate(sim_emerging, design, trial)
