"""Tables by site and by study: each alone, and one against another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.transfer import OTHERS
from cytobench.leaderboard.rank import Board
from cytobench.leaderboard.tables import number

MATRIX_NOTE = (
    "Trained on the study of the row, tested on that of the column; where both are one, "
    "cross-validated within it. Intervals are those of one test set, the fitted model as given."
)


SHIFT_NOTE = (
    "How each study differs from all others before treatment. Adversarial AUC: how well its "
    "patients can be told from the others', out of fold (0.5: not at all). Analytes and numbers: "
    "standardised mean difference (Hedges' g), analytes on the logarithm; largest first."
)


def shift_table(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """Covariate shift between the studies of a pool; None for a single study."""
    shift = board.entry.about.get("shift")
    if not shift:
        return None
    studies = list(shift["adversarial"])
    apart = [number(_estimate(shift["adversarial"][study])) for study in studies]
    rows = sorted(
        shift["analytes"].items(),
        key=lambda item: -max(abs(part["value"] or 0.0) for part in item[1].values()),
    )
    return ["", *studies], [
        ["adversarial AUC", *apart],
        *(
            [name, *(number(_estimate(parts[study]), signed=True) for study in studies)]
            for name, parts in rows
        ),
    ]


def _estimate(record: Mapping[str, Any]) -> Estimate:
    """An estimate as it was stored; JSON has no NaN."""
    value = record["value"]
    return Estimate(**{**record, "value": math.nan if value is None else value})


def at_each(board: Board) -> str:
    """``at each site``, or study."""
    by_study = board.entry.about["protocol"]["name"] == "leave_one_study_out"
    return f"at each {'study' if by_study else 'site'}"


def per_site(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """Titles and rows of the headline metric at each site or study that was left out."""
    if not any(row.sites for row in board.rows):
        return None
    counts = {site: n for row in board.rows for site, (_, n) in row.sites.items()}
    titles = ["model", *(f"{site} (n = {n})" for site, n in counts.items())]
    rows = [
        [row.label, *(number(row.sites[site][0]) if site in row.sites else "" for site in counts)]
        for row in board.rows
    ]
    return titles, rows


def matrices(board: Board) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Model -> its table of study against study: trained on in rows, tested on in columns."""
    found = {}
    for row in board.rows:
        if not row.matrix:
            continue
        tested = {there: n for (_, there), (_, n) in sorted(row.matrix.items())}
        trained = [*dict.fromkeys(here for here, _ in row.matrix if here != OTHERS), OTHERS]
        found[row.label] = (
            ["trained on", *(f"{study} (n = {n})" for study, n in tested.items())],
            [
                [
                    here,
                    *(
                        number(row.matrix[here, there][0]) if (here, there) in row.matrix else ""
                        for there in tested
                    ),
                ]
                for here in trained
            ],
        )
    return found
