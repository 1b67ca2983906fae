"""``cytobench plan``: what a cohort's size supports, and what more patients would bring."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.core.result import FoldFailure
    from cytobench.evaluate.intervals import Estimate
    from cytobench.run.jobs import Jobs
    from cytobench.run.planning import Adequacy, Inventory, ModelCurve
    from cytobench.run.session import Planned, Refused, Summary

NEEDED = {"classification": "auc", "regression": "r2"}
"""The option that says what performance is anticipated."""
ENOUGH_REPEATS = 10
INPUTS_SAID = {"both": "analytes and clinical baseline together"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.usage = "cytobench plan DATASET [OVERRIDE ...] [--auc AUC] [--no-curve] [--json]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("dataset", metavar="DATASET", help="see `cytobench list datasets`")
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="key=value, as for `cytobench run`"
    )
    parser.add_argument(
        "--auc", type=float, action="append", help="anticipated AUC (repeatable; .65, .70, .75)"
    )
    parser.add_argument(
        "--r2", type=float, action="append", help="the same for percent_change (.05, .10, .20)"
    )
    parser.add_argument("--no-curve", action="store_true", help="count only, fit nothing")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.epilog = (
        "examples:\n"
        "  cytobench plan sim_inflamed_mdd --no-curve          the counts, at once\n"
        "  cytobench plan sim_inflamed_mdd model=ridge tuning.trials=10 protocol.repeats=5\n"
        "  cytobench plan sim_inflamed_mdd protocol.train_fraction=0.2,0.4,0.7,1\n\n"
        "The curve's folds are stored; the same command again computes only what is missing."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.run.engine import one_thread_each

    one_thread_each()
    from cytobench.run.planning import adequacy, inventory, plan_curve

    overrides = _overrides(options)
    jobs = None if options.no_curve else plan_curve(overrides)  # mistakes are told before any table
    found = inventory(overrides)
    sizes = adequacy(found, _anticipated(options, found.kind))
    if not options.json:
        _show_counts(found)
        _show_sizes(found, sizes)
    curves: list[ModelCurve] = []
    code = 0
    if jobs is not None:
        curves, code = _run(jobs, overrides, quiet=options.json)
    if options.json:
        console.say(_json(found, sizes, curves))
    else:
        for curve in curves:
            _show_curve(curve, found)
    return code


def _overrides(options: argparse.Namespace) -> list[str]:
    from cytobench.core.errors import UsageError

    name = str(options.dataset).removeprefix("dataset=")
    if "=" in name:
        raise UsageError("E101", "name the dataset first: cytobench plan DATASET", where=name)
    return [f"dataset={name}", *options.overrides]


def _anticipated(options: argparse.Namespace, kind: str) -> list[float]:
    from cytobench.core.errors import UsageError

    wanted = NEEDED[kind]
    for name in NEEDED.values():
        if name != wanted and getattr(options, name):
            raise UsageError("E120", f"this task has none; use --{wanted}", where=f"--{name}")
    return list(getattr(options, wanted) or ())


def _run(jobs: Jobs, overrides: Sequence[str], *, quiet: bool) -> tuple[list[ModelCurve], int]:
    """Run the missing folds; the curves of what is stored, and the exit code."""
    import shlex

    from cytobench.core.errors import SplitError
    from cytobench.run.planning import learning_curves
    from cytobench.run.session import run_cells
    from cytobench.run.store import RunStore

    if not quiet:
        console.say()
    store = RunStore(Path(jobs.settings["store"]))
    name = overrides[0].removeprefix("dataset=")
    command = shlex.join(["cytobench", "plan", name, *overrides[1:]])
    with ExitStack() as stack:
        progress = _Progress(stack)
        summary = run_cells(jobs.cells, jobs.settings["engine"], store, command, progress)
    _report(summary)
    # A cohort may be too small for the smallest fractions; the curve then does without them.
    wrong = [item for item in summary.refused if not isinstance(item.error, SplitError)]
    failed = bool(wrong or summary.failures or not progress.cells)
    return learning_curves(progress.cells, store), int(failed)


class _Progress:
    """Shows a bar while folds run and remembers the cells."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.cells: list[Planned] = []
        self.advance: console.Advance | None = None

    def planned(self, cells: Sequence[Planned], refused: Sequence[Refused]) -> None:
        """Open the bar where something is missing."""
        del refused
        self.cells = list(cells)
        missing = sum(len(cell.missing) for cell in cells)
        if missing:
            self.advance = self.stack.enter_context(console.progress(missing, "learning curve"))

    def fold_done(self, planned: Planned, failure: FoldFailure | None) -> None:
        """One step on."""
        assert self.advance is not None
        fraction = planned.cell.config["protocol"]["train_fraction"]
        self.advance(f"{planned.cell.model_name} at {fraction:g}", failed=failure is not None)

    def cell_done(self, planned: Planned) -> None:
        """The curve is drawn when all cells are done."""


def _report(summary: Summary) -> None:
    reasons: dict[tuple[str, str], list[str]] = {}
    for refused in summary.refused:
        fraction = f"{refused.cell.config['protocol']['train_fraction']:g}"
        reasons.setdefault((refused.cell.model_name, str(refused.error)), []).append(fraction)
    for (model, reason), fractions in reasons.items():
        who = f"{model} at {', '.join(fractions)} of the training part"
        console.warn(f"{who} cannot run: {reason}")
    for error in dict.fromkeys(failure.error for _, failure in summary.failures):
        console.fail(f"a fold failed: {error}; the same command tries it again")


def _show_counts(found: Inventory) -> None:
    console.say(f"{found.dataset}, {found.task}: {found.meaning}", style="bold")
    if found.events is None:
        console.say(f"{found.n} patients, mean {found.mean:.1f}, deviation {found.sd:.1f}")
    else:
        share = f"{found.prevalence:.0%}"
        console.say(f"{found.n} patients with a known outcome, {found.events} with it ({share})")
    said = ", ".join(f"{name} {number}" for name, number in found.parameters.items())
    console.say(f"candidate parameters, before any selection: {said}\n")


def _show_sizes(found: Inventory, sizes: Sequence[Adequacy]) -> None:
    binary = found.events is not None
    measure = ["AUC", "Cox-Snell R2"] if binary else ["R2"]
    columns = ["inputs", "parameters", *measure, "patients needed", "n/needed", "shrinkage"]
    columns += ["events/parameter"] if binary else []
    columns += ["supported"]
    rows = []
    for item in sizes:
        row = [item.inputs, str(item.size.parameters), f"{item.anticipated:.2f}"]
        row += [f"{item.size.r2:.3f}"] if binary else []
        row += [f"{item.size.required}", f"{item.available:.2f}", _number(item.shrinkage, 2)]
        row += [f"{item.events_per_parameter:.1f}"] if binary else []
        rows.append([*row, str(item.supported)])
    console.table(columns, rows, title="Riley's criteria", right=columns[1:])
    for line in sentences(found, sizes):
        console.say(line)


def sentences(found: Inventory, sizes: Sequence[Adequacy]) -> list[str]:
    """The table in words, for all inputs that the cohort has."""
    from cytobench.evaluate.sample_size import OPTIMISM, SHRINKAGE

    widest = max(found.parameters, key=lambda name: found.parameters[name])
    said = [_sentence(found, item) for item in sizes if item.inputs == widest]
    said += [
        f"For the {name} alone, {number} patients would be needed."
        for name, number in list(sizes[0].size.criteria.items())[2:]
        if number > found.n
    ]
    said.append(
        f"A parameter is supported where the shrinkage to expect is {SHRINKAGE:g} or more and R2 "
        f"is too high by {OPTIMISM:g} at most, in a regression without selection. Selecting by the "
        "outcome does not lower the count, and flexible learners need more "
        "(doi:10.1186/1471-2288-14-137)."
    )
    return said


def _sentence(found: Inventory, item: Adequacy) -> str:
    measure = "an AUC" if found.events is not None else "an R2"
    inputs = INPUTS_SAID.get(item.inputs, item.inputs)
    hope = f"At {measure} of {item.anticipated:.2f}, {found.n} patients support"
    if item.supported >= item.size.parameters:
        return f"{hope} the {_parameters(item.size.parameters)} of {inputs}."
    some = f"about {_parameters(item.supported)}" if item.supported else "not one parameter"
    have = f"{inputs} have {item.size.parameters}, for which {item.size.required}"
    return f"{hope} {some}; {have} would be needed."


def _parameters(number: int) -> str:
    return f"{number} candidate parameter" + ("" if number == 1 else "s")


def _show_curve(item: ModelCurve, found: Inventory) -> None:
    curve = item.curve
    name = item.metric.upper()
    columns = ["training patients", name, "uncertainty", "from"]
    rows = [
        [f"{n:.0f}", _number(value, 3), f"standard error {_number(error, 3)}", "folds"]
        for n, value, error in zip(curve.sizes, curve.estimates, curve.standard_errors, strict=True)
    ]
    rows += [
        [f"{n:.0f}", _number(value, 3), f"95 % interval {low:.3f} to {high:.3f}", "curve"]
        for n, value, low, high in zip(curve.grid, curve.median, curve.low, curve.high, strict=True)
    ]
    console.table(columns, rows, title=f"Learning curve of {item.model}", right=columns[:2])
    if item.unfinished:
        missing = ", ".join(f"{fraction:g}" for fraction in item.unfinished)
        console.warn(f"{item.model}: not all folds are done at {missing} of the training part")
    if curve.refusal:
        console.say(f"{item.model}: {curve.refusal}.")
        if item.repeats < ENOUGH_REPEATS:
            console.say(
                f"{item.repeats} repeats were run; protocol.repeats={ENOUGH_REPEATS} takes more of "
                "the noise of the splits away.",
                style="dim",
            )
        return
    console.say(f"Expected best with any number of patients: {_said(curve.plateau, 3)}.")
    console.say(_needed(item, found))
    console.say(f"{curve.method}.", style="dim")


def _needed(item: ModelCurve, found: Inventory) -> str:
    needed, within = item.curve.needed, f"within {item.curve.within:g} of that"
    if needed.value != needed.value:
        return f"Training patients to come {within}: {needed.method}."
    largest = f"the largest training part here has {item.curve.sizes[-1]:.0f} of {found.n}"
    return f"Training patients to come {within}: {_said(needed, 0)}; {largest}."


def _said(estimate: Estimate, digits: int) -> str:
    end = "no upper end" if estimate.high is None else f"{estimate.high:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {end})"


def _number(value: float, digits: int) -> str:
    return "-" if value != value else f"{value:.{digits}f}"


def _json(found: Inventory, sizes: Sequence[Adequacy], curves: Sequence[ModelCurve]) -> str:
    import json
    from dataclasses import asdict

    rows = []
    for item in sizes:
        size = {**asdict(item.size), "required": item.size.required, "events": item.size.events}
        rows.append({**asdict(item), "size": size})
    document = {
        **asdict(found),
        "prevalence": found.prevalence,
        "adequacy": rows,
        "sentences": sentences(found, sizes),
        "curves": [asdict(curve) for curve in curves],
    }
    return json.dumps(_plain(document), indent=1, allow_nan=False, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Arrays as lists and NaN as null, which JSON has no number for."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value
