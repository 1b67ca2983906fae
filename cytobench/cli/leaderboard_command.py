"""``cytobench leaderboard build|show``."""

from __future__ import annotations

import argparse
from pathlib import Path

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("action", choices=("build", "show"), help="write the files, or print")
    parser.add_argument("suite", nargs="?", help="one suite; default: all in the store")
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument("--output", default="leaderboards", help="folder of the files to write")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.leaderboard.build import boards, write, write_across
    from cytobench.leaderboard.show import show
    from cytobench.run.store import RunStore

    writes = options.action == "build"
    found = boards(RunStore(Path(options.store)), options.suite, thorough=writes)
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
