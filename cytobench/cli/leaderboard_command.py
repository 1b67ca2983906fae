"""``cytobench leaderboard build|show|site|submit|verify``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cytobench import console
from cytobench.cli import submitting

if TYPE_CHECKING:
    from cytobench.leaderboard.benefit import AnyBoard
    from cytobench.leaderboard.kept import Pages
    from cytobench.run.store import RunStore
    from cytobench.submission.accept import Accepted

ACTIONS = {
    "build": "write Markdown, JSON and a README for each suite",
    "show": "print",
    "site": "write one folder of pages to browse, without server or network",
    "submit": "make bundles of finished cells",
    "verify": "check bundles, and recompute every number",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    said = "; ".join(f"{name}: {text}" for name, text in ACTIONS.items())
    parser.add_argument("action", choices=[*ACTIONS], help=said)
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="suites (build, show, site; default: all in the store), models, or bundles",
    )  # fmt: skip
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument(
        "--output", "--out", metavar="PATH",
        help="what to write (build: leaderboards, site: leaderboards/site, submit: a file or "
        "folder, default .)",
    )  # fmt: skip
    parser.add_argument(
        "--from-mlflow", metavar="URI",
        help="build, show, site: from the predictions on a tracking server instead of a run store",
    )  # fmt: skip
    submitting.add_arguments(parser)
    parser.epilog = (
        "examples:\n"
        "  cytobench leaderboard build quickstart          write the files of a suite\n"
        "  cytobench leaderboard show                      print every board of the store\n"
        "  cytobench leaderboard build --from-mlflow http://server:5000\n"
        "  cytobench leaderboard submit my_model --suite quickstart\n"
        "  cytobench leaderboard verify bundle.zip --refit --json\n\n"
        "Exit code: 0 done or accepted, 1 nothing to show or refused, 2 usage error."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.action == "submit":
        return submitting.submit(options)
    if options.action == "verify":
        return submitting.verify_files(options)
    from cytobench.run.store import RunStore

    if not options.from_mlflow:
        store = RunStore(Path(options.store))
        return _boards(options, store, submitting.from_bundles(options, store), options.store)
    from cytobench.core.secrets import without_secrets
    from cytobench.tracking.bundles import fetched

    with fetched(options.from_mlflow, options.names) as server:
        where = without_secrets(options.from_mlflow)
        if server.without:
            console.warn(
                f"{server.without} runs on {where} carry no predictions and are no rows here; "
                "their tags say why, or they were written without tracking.rows=true"
            )
        # An empty store: nothing of this machine is among the rows.
        store = RunStore(server.folder / "runs")
        accepted = submitting.from_bundles(options, store, [server.folder])
        return _boards(options, store, accepted, where)


def _boards(options: argparse.Namespace, store: RunStore, accepted: Accepted, where: str) -> int:
    """Build, show or lay out the boards of a store and of accepted bundles."""
    from cytobench.leaderboard.build import boards, pages
    from cytobench.leaderboard.show import show

    submitted = accepted.cells
    suites = list(dict.fromkeys(options.names or [None]))
    if options.action == "build":
        kept = [
            item
            for suite in suites
            for item in pages(store, suite, submitted=submitted, waited_for=True)
        ]
        _build(kept, submitting.published(options))
        return 0 if kept else _nothing(where)
    thorough = options.action == "site"
    if thorough:  # a second or two for each model
        console.say(f"computing every number of {where} ...", style="dim")
    found = [
        board
        for suite in suites
        for board in boards(store, suite, thorough=thorough, submitted=submitted)
    ]
    if not found:
        return _nothing(where)
    if options.action == "show":
        for board in found:
            show(board)
    else:
        _site(found, store, Path(options.output or "leaderboards/site"))
    return 0


def _nothing(where: str) -> int:
    console.warn(f"no finished cells in {where}; start a run: cytobench run")
    return 1


def _build(found: Sequence[Pages], output: Path) -> None:
    from cytobench.leaderboard.build import write, write_across, write_readmes

    for board in found:
        for path in write(board, output):
            console.say(f"wrote {path}")
    outlines = [board.outline for board in found]
    for path in [*write_across(outlines, output), *write_readmes(outlines, output)]:
        console.say(f"wrote {path}")


def _site(found: Sequence[AnyBoard], store: RunStore, output: Path) -> None:
    from cytobench.site.write import write_site

    with console.progress(len(found), "site", of="boards") as advance:
        pages = write_site(found, store, output, advance)
    console.say(f"wrote {pages[0]} and {len(pages) - 1} files beside it; open it in a browser")
