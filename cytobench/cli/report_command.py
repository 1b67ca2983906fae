"""``cytobench report``: one self-contained page for each suite entry and for each model on it."""

from __future__ import annotations

import argparse
from pathlib import Path

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("suite", nargs="?", help="one suite; default: all in the store")
    parser.add_argument("--entry", action="append", default=[], help="only this entry (repeatable)")
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument("--output", default="reports", help="folder to write (default: reports)")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.leaderboard.build import boards
    from cytobench.leaderboard.opinions import second_opinions
    from cytobench.report.overview import write_overviews
    from cytobench.report.page import write_reports
    from cytobench.run.store import RunStore

    store = RunStore(Path(options.store))
    console.say(f"computing every number of {options.store} ...", style="dim")
    found = boards(store, options.suite, options.entry, thorough=True)
    if not found:
        console.warn(f"no finished cells in {options.store}; start a run: cytobench run")
        return 1
    for page in write_overviews(found, Path(options.output)):
        console.say(f"wrote {page}")
    second = second_opinions(store, found)
    for board in found:
        cohort = store.cohort_facts(str(board.entry.about["dataset"]["fingerprint"]))
        pages = write_reports(board, Path(options.output), second, cohort)
        console.say(f"wrote {pages[0]} and {len(pages) - 1} pages beside it")
    return 0
