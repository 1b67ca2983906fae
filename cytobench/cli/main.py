"""The entry point: picks a command, imports only what it needs, turns errors into words."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cytobench import __version__, console
from cytobench.core.errors import (
    LONGEST_PART,
    LONGEST_WORD,
    CytobenchError,
    StoreError,
    UsageError,
    did_you_mean,
    shortened,
)
from cytobench.core.stopping import end_at_once, exit_code, stoppable

if TYPE_CHECKING:
    from types import TracebackType

COMMANDS = {
    "run": "run cells: models on datasets, nested cross-validation, resumable",
    "new": "write a working model or dataset plugin, and its test",
    "check": "test what a plugin promises; every check has a code",
    "list": "models, datasets, tasks, protocols, suites ... that there are",
    "info": "the card of a model or dataset",
    "leaderboard": "build or show leaderboards from stored predictions",
    "report": "write self-contained HTML pages with every number and figure",
    "audit": "look for leakage: in a dataset, a model, or a folder to be shared",
    "verify": "run finished folds again: are they the same to the last bit?",
    "fetch": "download the files of a public dataset, verified by their sha256",
    "plan": "is the cohort large enough? Sample size and learning curve",
    "track": "mirror the run store to MLflow (--rebuild: from scratch)",
    "ui": "browse results in the MLflow UI, on this machine only",
    "doctor": "what is wrong with the installation, and what to do about it",
    "completion": "complete commands, plugins and overrides in bash, zsh and fish",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0 all cells done, 1 some failed, 2 usage error, 129 the terminal was closed,
        130 interrupted, 143 terminated.
    """
    if arguments is None:
        sys.excepthook = _show
    code = _main(arguments)
    if arguments is None:
        end_at_once()
    # What could not be said is lost; what was to be done is not.
    return code if console.flushed() else max(code, 1)


def _main(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # α in an old code page is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    if not words or words[0] in ("-h", "--help"):
        console.say(parser.format_help().rstrip())
        return 0
    if words[0] in ("--version", "-V"):
        console.say(f"cytobench {__version__}")
        return 0
    name = words[0]
    if name not in COMMANDS:
        typed = shortened(repr(name), LONGEST_WORD)
        console.fail(f"cytobench: there is no command {typed}; {did_you_mean(name, [*COMMANDS])}")
        return 2
    debug = "--debug" in words
    words = [word for word in words[1:] if word != "--debug"]
    module = _module(name)
    options = command_parser(name).parse_intermixed_args(words)
    try:
        with stoppable():
            return int(module.execute(options))
    except UsageError as error:
        if debug:
            raise
        console.fail(str(error))
        return 2
    except CytobenchError as error:
        if debug:
            raise
        console.fail(str(error))
        return 1
    except OSError as error:
        if debug:
            raise
        said = f"the system refuses it: {error.strerror or error}"
        where = str(error.filename or "")
        console.fail(str(StoreError("E590", said, where=where, hint="--debug shows what asked")))
        return 1
    except KeyboardInterrupt as stop:
        console.warn("interrupted")
        return exit_code(stop)


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback, of --debug or of a bug; libraries quote addresses in theirs."""
    import traceback

    from cytobench.core.secrets import without_secrets

    text = "".join(traceback.format_exception(kind, error, trace))
    console.fail(without_secrets(text).rstrip())


class _Parser(argparse.ArgumentParser):
    """Repeats what was typed, but not at any length, and not what would command the terminal."""

    def error(self, message: str) -> NoReturn:
        super().error(console.visible(shortened(message, LONGEST_PART)))

    def add_argument(self, *names: Any, **said: Any) -> argparse.Action:
        if said.get("nargs") == "*":  # argparse calls it required where no default is given
            said.setdefault("default", [])
        return super().add_argument(*names, **said)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse lists the choices; from Python 3.14 on it would find the nearest as well.
        if action.choices is not None and value not in action.choices:
            typed = shortened(repr(value), LONGEST_WORD)
            hint = did_you_mean(str(value), [str(choice) for choice in action.choices])
            raise argparse.ArgumentError(action, f"there is no {typed}; {hint}")


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of a command's own arguments."""
    parser = _Parser(prog=f"cytobench {name}", description=COMMANDS[name], allow_abbrev=False)
    _module(name).add_arguments(parser)
    return parser


def _module(name: str) -> Any:
    return importlib.import_module(f"cytobench.cli.{name}_command")


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    return argparse.ArgumentParser(
        prog="cytobench",
        usage="cytobench COMMAND [...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Honest benchmarks for predicting antidepressant response from baseline "
        "cytokines.",
        epilog=f"commands:\n{commands}\n\n"
        "cytobench COMMAND --help tells more; --debug shows tracebacks.\n\n"
        "examples:\n"
        "  cytobench run                                   the quickstart suite\n"
        "  cytobench run dataset=sim_inflamed_mdd task=remission model=elastic_net,mlp\n"
        "  cytobench list models",
        add_help=True,
    )
