"""``cytobench leaderboard build|show|site``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cytobench import console

if TYPE_CHECKING:
    from cytobench.leaderboard.benefit import AnyBoard
    from cytobench.run.store import RunStore

ACTIONS = {
    "build": "write Markdown, JSON and a README for each suite",
    "show": "print",
    "site": "write one folder of pages to browse, without server or network",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    said = "; ".join(f"{name}: {text}" for name, text in ACTIONS.items())
    parser.add_argument("action", choices=[*ACTIONS], help=said)
    parser.add_argument("suites", nargs="*", metavar="suite", help="default: all in the store")
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument(
        "--output", "--out", metavar="DIR",
        help="folder to write (build: leaderboards, site: leaderboards/site)",
    )  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.leaderboard.build import boards
    from cytobench.leaderboard.show import show
    from cytobench.run.store import RunStore

    store = RunStore(Path(options.store))
    thorough = options.action != "show"
    found = [
        board
        for suite in dict.fromkeys(options.suites or [None])
        for board in boards(store, suite, thorough=thorough)
    ]
    if not found:
        console.warn(f"no finished cells in {options.store}; start a run: cytobench run")
        return 1
    if options.action == "show":
        for board in found:
            show(board)
    elif options.action == "build":
        _build(found, Path(options.output or "leaderboards"))
    else:
        _site(found, store, Path(options.output or "leaderboards/site"))
    return 0


def _build(found: Sequence[AnyBoard], output: Path) -> None:
    from cytobench.leaderboard.build import write, write_across, write_readmes

    for board in found:
        for path in write(board, output):
            console.say(f"wrote {path}")
    for path in [*write_across(found, output), *write_readmes(found, output)]:
        console.say(f"wrote {path}")


def _site(found: Sequence[AnyBoard], store: RunStore, output: Path) -> None:
    from cytobench.site.write import write_site

    pages = write_site(found, store, output)
    console.say(f"wrote {pages[0]} and {len(pages) - 1} files beside it; open it in a browser")
