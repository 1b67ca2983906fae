"""The trial behind `sim_inflamed_mdd` and its negative control, which must not differ."""

from __future__ import annotations

from cytobench.simulate.design import INFLAMMATION, Arm, Design, Moderator

INFLAMED_MDD = Design(
    scale="HAM-D17",
    week=8,
    mean_change=-0.462,
    arms=(
        Arm("SSRI", "SSRI"),
        Arm(
            "SSRI + anti-inflammatory",
            "anti-inflammatory",
            moderators=(Moderator(INFLAMMATION, slope=-0.10, at=0.0),),
        ),
    ),
)
"""SSRI alone or with an anti-inflammatory.

The mean gives a response of about 47 % (STAR*D step 1, from the project's literature notes). The
add-on helps the inflamed and harms the others as much, with no effect overall, as infliximab did
(Raison 2013, doi:10.1001/2013.jamapsychiatry.4, abstract read); for other agents a hypothesis."""
