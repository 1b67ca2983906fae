"""What a run and an experiment say of themselves in MLflow, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cytobench.core.result import FoldFailure
from cytobench.data.target import BENEFIT
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE
from cytobench.leaderboard.benefit_sheet import assignment_line
from cytobench.leaderboard.collect import Entry
from cytobench.leaderboard.rank import Board
from cytobench.leaderboard.render import escaped
from cytobench.leaderboard.words import summary
from cytobench.report.text import printable
from cytobench.run.store import StoredCell
from cytobench.tracking.benefit_record import result_line
from cytobench.tracking.shown import (
    CHARTED,
    NAMES,
    AnyRow,
    estimates_of,
    is_benefit,
    kind_of_error,
    rule_row,
    scores_of,
)
from cytobench.tracking.view import KEY

SHOWN_WARNINGS = 3


def run_note(cell: StoredCell, failures: Sequence[FoldFailure], row: AnyRow = None) -> str:
    """What a run says of itself, in Markdown."""
    about, model = cell.about, cell.about["model"]
    kind = "A floor: what every model should beat. " if model["role"] == "floor" else ""
    lines = [f"**{model['name']}**: {escaped(_sentence(model['summary']))} {kind}".rstrip()]
    if cell.complete:
        if is_benefit(cell):
            lines += [result_line(cell, rule_row(row)), assignment_line(about)]
        else:
            lines += [_result(cell, row), *_sites(cell)]
    else:
        lines += [f"**Unfinished: {len(cell.folds)} of {about['folds']} folds.** No estimate yet."]
    lines += [
        f"Fold {item.fold} failed: {kind_of_error(item.error)}"
        for item in failures[:SHOWN_WARNINGS]
    ]
    card = [f"version {model['version']}", f"sees {' and '.join(model['inputs'])}"]
    if model["citation"]:
        card.append(_citation(model["citation"]))
    if model["licence"]:
        card.append(f"licence {escaped(model['licence'])}")
    lines.append("Model: " + ", ".join(card) + ".")
    said = Counter(warning for fold in cell.folds for warning in fold.warnings)
    lines += [
        f"Warned in {count} of {len(cell.folds)} folds: {escaped(_one_line(text))}"
        for text, count in said.most_common(SHOWN_WARNINGS)
    ]
    command = printable(about["command"]).replace("`", "'")  # it stays one piece of code
    lines += [f"Repeat with `{command}`"]
    return "\n\n".join(lines)


def _result(cell: StoredCell, row: AnyRow) -> str:
    scores, estimate = scores_of(cell, row), estimates_of(cell, row)
    shown = [name for name in CHARTED if name in scores.by_fold]
    estimates = {NAMES[name]: estimate(name) for name in shown}
    said = [f"{name} **{item.value:.3f}**{_interval(item)}" for name, item in estimates.items()]
    method = estimate(HEADLINE[scores.kind]).method
    tested = len({patient for fold in cell.folds for patient in fold.predictions.patient})
    return f"{'; '.join(said)}. {len(cell.folds)} folds, {tested} patients; {method}."


def _sites(cell: StoredCell) -> list[str]:
    """A Markdown table of the headline metric at each site, under leave-one-site-out."""
    scores = scores_of(cell)
    headline = HEADLINE[scores.kind]
    sites = scores.by_site(headline, cell.about["test_labels"])
    if not sites:
        return []
    rows = [
        f"| {escaped(site)} | {n} | {estimate.value:.3f}{_interval(estimate)} |"
        for site, (estimate, n) in sites.items()
    ]
    return ["\n".join([f"| site | n | {NAMES[headline]} |", "|---|---|---|", *rows])]


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"


def _citation(text: str) -> str:
    return f"[doi:{text}](https://doi.org/{text})" if text.startswith("10.") else text


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def experiment_note(cell: StoredCell, suite: str, entry: str) -> str:
    """What an experiment says of itself: the sentences above the leaderboard's table."""
    kind = cell.about["task"]["kind"]
    headline = HEADLINE.get(kind, "value")
    board = Board(Entry(suite, entry, [cell], {}, 0), kind, headline, [], None)
    better = "the highest AUC first (0.5 is chance)"
    if kind == "regression":
        better = "the smallest mean absolute error (MAE) first"
    elif kind == BENEFIT:
        better = "the highest value (mean outcome if everybody were treated by the rule) first"
    reading = (
        f"Each run is one model: choose *Model training*, then under *Views* the *{KEY}*, for "
        f"{better}; *lower* and *upper* end the 95 % interval. "
        "The role *floor* marks what knowing next to nothing achieves."
    )
    more = (
        "Metrics named *fold/...* chart the outer folds; figures are among a run's artifacts. "
        f"Which models are tied with the best: `cytobench leaderboard show {suite}`."
    )
    about = [escaped(line) for line in (*summary(board), *map(str, cell.about["notes"]))]
    if kind == BENEFIT:
        about.append(assignment_line(cell.about))
    return "\n\n".join([reading, *about, more])
