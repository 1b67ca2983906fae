"""``cytobench leaderboard build|show|submit|verify``."""

from __future__ import annotations

import argparse
from pathlib import Path

from cytobench import console
from cytobench.cli import submitting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=("build", "show", "submit", "verify"))
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a suite (build, show), models, or bundles"
    )
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument("--output", default="leaderboards", help="folder of the files to write")
    submitting.add_arguments(parser)
    parser.epilog = (
        "examples:\n"
        "  cytobench leaderboard build quickstart          write the files of a suite\n"
        "  cytobench leaderboard show                      print every board of the store\n"
        "  cytobench leaderboard submit my_model --suite quickstart\n"
        "  cytobench leaderboard verify bundle.zip --refit --json\n\n"
        "Exit code: 0 done or accepted, 1 nothing to show or refused, 2 usage error."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command.

    Raises
    ------
    UsageError
        ``E105`` for two suites.
    """
    if options.action == "submit":
        return submitting.submit(options)
    if options.action == "verify":
        return submitting.verify_files(options)
    from cytobench.core.errors import UsageError
    from cytobench.leaderboard.build import boards, write, write_across
    from cytobench.leaderboard.show import show
    from cytobench.run.store import RunStore

    if len(options.names) > 1:
        raise UsageError("E105", "one suite, or none for all", where=" ".join(options.names))
    writes = options.action == "build"
    found = boards(
        RunStore(Path(options.store)),
        options.names[0] if options.names else None,
        thorough=writes,
        submitted=submitting.from_bundles(options).cells,
    )
    if not found:
        console.warn(f"no finished cells in {options.store}; start a run: cytobench run")
        return 1
    for board in found:
        if writes:
            for path in write(board, Path(options.output)):
                console.say(f"wrote {path}")
        else:
            show(board)
    if writes:
        for path in write_across(found, Path(options.output)):
            console.say(f"wrote {path}")
    return 0
