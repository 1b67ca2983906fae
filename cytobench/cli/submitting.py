"""``cytobench leaderboard submit|verify``: bundles out, bundles in."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.run.store import RunStore
    from cytobench.submission.accept import Accepted
    from cytobench.submission.verify import Against, Verdict

STYLES = {"verified": "green", "recomputed": "green", "flagged": "yellow", "refused": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of submission and verification."""
    submit = parser.add_argument_group("submit")
    submit.add_argument("--suite", help="only cells of this suite")
    submit.add_argument("--entry", help="only cells of this entry")
    submit.add_argument(
        "--permitted", default="", metavar="TEXT", help="who allowed restricted outcomes to be sent"
    )
    verify = parser.add_argument_group("verify")
    verify.add_argument(
        "--against", metavar="FOLDER|SUITE", help="bundles, a run store, or a suite's submissions"
    )
    verify.add_argument("--refit", action="store_true", help="fit a sampled fold again")
    verify.add_argument("--refits", type=int, default=1, metavar="N", help="how many (default 1)")
    add_limit(verify)
    verify.add_argument(
        "--nonce", default="", metavar="TEXT", help="mixed into the choice of folds, such as a date"
    )
    verify.add_argument(
        "--override", action="append", default=[], metavar="KEY=VALUE",
        help="how the cohort of a cell of no suite is configured here",
    )  # fmt: skip
    verify.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    build = parser.add_argument_group("build and show")
    build.add_argument(
        "--bundles", action="append", default=[], metavar="FOLDER",
        help="rows from bundles, besides those in <output>/<suite>/submissions",
    )  # fmt: skip


def add_limit(parser: argparse._ActionsContainer) -> None:
    """What a fold that is fitted again may take."""
    parser.add_argument(
        "--fold-seconds", type=float, metavar="S",
        help="stop a fold that takes longer to fit again (default: no limit)",
    )  # fmt: skip


def check_limit(seconds: float | None) -> None:
    """Refuse a limit of time that is none.

    Raises
    ------
    UsageError
        ``E115``.
    """
    from cytobench.core.errors import UsageError

    if seconds is not None and not 0 < seconds < float("inf"):
        raise UsageError(
            "E115", f"must be a number above 0, not {seconds:g}", where="--fold-seconds"
        )


def published(options: argparse.Namespace) -> Path:
    """The folder of the published boards, in which bundles of others are."""
    return Path(options.output if options.action == "build" and options.output else "leaderboards")


def submit(options: argparse.Namespace) -> int:
    """Write one bundle for each cell that is named.

    Raises
    ------
    UsageError
        ``E703`` to ``E709``.
    """
    from cytobench.core.errors import UsageError
    from cytobench.run.store import RunStore
    from cytobench.submission.make import chosen, make_bundle
    from cytobench.submission.verify import Against, verify

    if not options.names:
        raise UsageError("E703", "say which models", hint="cytobench leaderboard submit MODEL")
    store = RunStore(Path(options.store))
    cells = chosen(store, options.names, options.suite, options.entry)
    refused = False
    for suite, entry, cell in cells:
        path = _target(options.output, f"{suite}-{entry}-{cell.about['model']['name']}", len(cells))
        content = make_bundle(suite, entry, cell, permitted=options.permitted)
        verdict = verify(content, path.name, Against(store))
        for finding in verdict.findings:
            console.fail(str(finding))
        if verdict.state == "refused":
            refused = True
            continue
        _write(path, content)
        _say_what_leaves(path, verdict)
    return 1 if refused else 0


def _target(out: str | None, stem: str, cells: int) -> Path:
    from cytobench.core.errors import UsageError

    if out is not None and out.endswith(".zip"):
        if cells > 1:
            raise UsageError(
                "E704",
                f"is one file, the selection has {cells} cells",
                where=f"--out {out}",
                hint="name a folder, or narrow it with --suite and --entry",
            )
        return Path(out)
    return Path(out or ".") / f"{stem}.zip"


def _write(path: Path, content: bytes) -> None:
    from cytobench.core.errors import StoreError
    from cytobench.core.files import write_whole

    try:
        write_whole(path, content, mode=0o644)
    except OSError as error:
        raise StoreError("E709", f"cannot be written: {error.strerror}", where=str(path)) from error


def _say_what_leaves(path: Path, verdict: Verdict) -> None:
    from cytobench.submission.names import places

    bundle = verdict.bundle
    assert bundle is not None
    groups = sorted({name for fold in bundle.folds for name in fold.predictions.groups})
    console.say(f"wrote {path}", style="bold")
    console.say(
        f"  outcome and prediction of {len(places(bundle.folds))} patients in "
        f"{len(bundle.folds)} folds, without identifiers and features"
    )
    console.say(f"  subgroups: {', '.join(groups) or 'none, their combinations are too small'}")
    why = bundle.plugin["why"]
    console.say(f"  the plugin's source: {'not included, ' + why if why else 'included'}")


def verify_files(options: argparse.Namespace) -> int:
    """Verify bundles; 0 where all are accepted."""
    from cytobench.core.errors import UsageError
    from cytobench.run.engine import one_thread_each
    from cytobench.run.store import RunStore
    from cytobench.submission.accept import remember
    from cytobench.submission.bundle import read_file
    from cytobench.submission.verify import verify

    one_thread_each()
    if not options.names:
        raise UsageError("E709", "say which bundles", hint="cytobench leaderboard verify FILE.zip")
    if options.refits < 1:
        raise UsageError("E709", "must be 1 or more", where="--refits")
    check_limit(options.fold_seconds)
    against = _against(options)
    verdicts = []
    for name in options.names:
        verdict = verify(read_file(Path(name)), Path(name).name, against)
        verdicts.append(verdict)
        store = RunStore(Path(options.store))
        if store.root.is_dir():
            remember(store, verdict)
        if not options.json:
            show(verdict)
    if options.json:
        import json

        console.say(json.dumps([record(verdict) for verdict in verdicts], indent=2))
    return 0 if all(verdict.accepted for verdict in verdicts) else 1


def _against(options: argparse.Namespace) -> Against:
    from cytobench.core.errors import UsageError
    from cytobench.run.store import RunStore
    from cytobench.submission.accept import SUBMISSIONS, bundle_files
    from cytobench.submission.verify import Against

    store: RunStore | None = RunStore(Path(options.store))
    bundles: list[Path] = []
    suite = None
    if options.against is not None:
        folder = Path(options.against)
        if (folder / "index").is_dir():
            store = RunStore(folder)
        elif folder.is_dir():
            bundles = bundle_files(folder)
        elif folder.suffix or len(folder.parts) > 1:
            raise UsageError("E709", "is no folder", where=f"--against {folder}")
        else:
            from cytobench.config import load_suite

            load_suite(options.against)  # a name that there is
            suite = options.against
            beside = published(options) / suite / SUBMISSIONS
            bundles = bundle_files(beside) if beside.is_dir() else []
    return Against(
        store,
        bundles,
        suite,
        refits=options.refits if options.refit else 0,
        fold_seconds=options.fold_seconds,
        nonce=options.nonce,
        overrides=tuple(options.override),
    )


def show(verdict: Verdict) -> None:
    """Print a verdict."""
    bundle = verdict.bundle
    what = f"{bundle.model} in {bundle.cell['suite']}/{bundle.cell['entry']}" if bundle else ""
    console.say(f"{verdict.where}: {verdict.state}  {what}".rstrip(), style=STYLES[verdict.state])
    for finding in verdict.findings:
        console.fail(f"  {finding}")
    for one in verdict.refits:
        if one.error is None:
            said = "to the last bit" if one.exact else f"within {one.largest:.1g}"
            console.say(f"  fold {one.fold} refitted: the same predictions {said}")
    if verdict.against:
        console.say(f"  held against {', '.join(verdict.against)}", style="dim")
    for note in verdict.notes:
        console.say(f"  {note}", style="dim")


def record(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    from cytobench.submission.codes import CODES

    bundle = verdict.bundle
    said: Mapping[str, Any] = {} if bundle is None else {
        "sha256": bundle.sha256,
        "model": bundle.model,
        "suite": bundle.cell["suite"],
        "entry": bundle.cell["entry"],
    }  # fmt: skip
    return {
        "bundle": verdict.where,
        "state": verdict.state,
        "accepted": verdict.accepted,
        **said,
        "findings": [
            {
                "code": item.code,
                "severity": item.severity,
                "title": CODES[item.code].title,
                "message": item.message,
                "where": item.where,
                "hint": item.hint,
            }
            for item in verdict.findings
        ],
        "refitted": [
            {"fold": one.fold, "reproduced": one.error is None, "exact": one.exact}
            for one in verdict.refits
        ],
        "against": list(verdict.against),
        "notes": list(verdict.notes),
    }


def from_bundles(
    options: argparse.Namespace, store: RunStore, more: Sequence[Path] = ()
) -> Accepted:
    """The rows that come from bundles: of the folders named, and of those beside the boards."""
    from cytobench.submission.accept import accept, beside_boards

    root = published(options)
    folders = [
        folder
        for suite in dict.fromkeys(options.names or [None])
        for folder in beside_boards(root, suite)
    ]
    folders += [*map(Path, options.bundles), *more]
    check_limit(options.fold_seconds)
    accepted = accept(
        store,
        folders,
        refits=options.refits if options.refit else 0,
        fold_seconds=options.fold_seconds,
    )
    for verdict in accepted.verdicts:
        if verdict.findings or verdict.notes:
            show(verdict)
    return accepted
