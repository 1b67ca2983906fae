"""How a command line may go on: commands, options, names of plugins, and overrides.

Names come from syntax trees and metadata; no plugin is imported, and nothing heavy, since somebody
waits with a finger on the Tab key.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from cytobench.cli.main import COMMANDS, command_parser
from cytobench.core.space import Choice
from cytobench.registry.declared import conf_folders, declared
from cytobench.registry.discover import Kind, Plugin, discover

NAMED: dict[str, tuple[str, ...]] = {
    "audit": ("model", "dataset"),
    "check": ("model", "dataset"),
    "fetch": ("dataset",),
    "info": ("model", "dataset"),
    "plan": ("dataset",),
    "report": ("suite",),
}
"""Command -> what its first words name."""
ACTIONS = {"build": "suite", "show": "suite", "site": "suite", "submit": "model"}
"""Action of ``leaderboard`` -> what its words name."""
CONFIGURED = ("run", "audit", "info", "plan", "track", "ui")
"""Commands that take overrides."""
PLUGINS: dict[str, Kind] = {"model": "model", "dataset": "dataset"}
GROUPS = (
    *("dataset", "task", "model", "preprocess", "protocol", "tuning", "engine", "tracking"),
    "suite",
)
VALUES = {"device": ("auto", "cpu", "cuda", "mps"), "explain": ("true", "false")}
KEY = re.compile(r"^(\w+):", re.MULTILINE)
DEFAULT = re.compile(r"^  - (\w+): (\w+)", re.MULTILINE)


def candidates(line: str) -> list[str]:
    """Whole words that the last word of a line may become.

    Parameters
    ----------
    line : str
        What was typed, from the command's name to the cursor.
    """
    words, current = _split(line)
    return sorted({word for word in _offered(words, current) if word.startswith(current)})


def _split(line: str) -> tuple[list[str], str]:
    """The words that are finished, without the command's own name, and the one that is not."""
    try:
        words = shlex.split(line)
    except ValueError:  # an open quote: nothing is offered inside it
        return [], "'"
    current = words.pop() if words and not line[-1:].isspace() else ""
    while words and "=" in words[0]:  # variables that are set for the command
        del words[0]
    return words[1:], current


def _offered(words: Sequence[str], current: str) -> Iterable[str]:
    if not words:
        return COMMANDS
    name, *given = words
    if name not in COMMANDS:
        return ()
    parser = command_parser(name)
    if current.startswith("-"):
        return parser._option_string_actions
    if given and given[-1] in parser._option_string_actions:
        return _values_of(parser._option_string_actions[given[-1]])
    return _words(name, parser, given, current)


def _values_of(option: argparse.Action) -> Iterable[str]:
    if "--suite" in option.option_strings:
        return _names("suite")
    return map(str, option.choices or ())


def _words(
    name: str, parser: argparse.ArgumentParser, given: Sequence[str], current: str
) -> Iterable[str]:
    plain = [word for word in given if "=" not in word and not word.startswith("-")]
    if not plain:
        for action in parser._actions:
            if not action.option_strings and action.choices:
                return map(str, action.choices)
    if name == "leaderboard":
        return _names(ACTIONS[plain[0]]) if plain[0] in ACTIONS else ()
    kinds = NAMED.get(name, ())
    if kinds and (not plain or name in ("check", "report")):
        return [item for kind in kinds for item in _names(kind)]
    return _overrides(given, current) if name in CONFIGURED else ()


def _names(group: str) -> list[str]:
    """What an override of a group can be, and what a command can be asked about."""
    plugins = discover(PLUGINS[group]) if group in PLUGINS else {}
    return [*plugins, *declared(group)]


def _overrides(given: Sequence[str], current: str) -> Iterable[str]:
    key, equals, value = current.partition("=")
    if equals:
        # A sweep goes on after a comma, a pool of studies after a plus.
        head = re.match(r"(?:.*[,+])?", value)
        taken = head[0] if head else ""
        return [f"{key}={taken}{item}" for item in _values(key)]
    if "." in key:
        return _nested(key.partition(".")[0], given)
    settings = KEY.findall(_text("config"))
    nested = [f"{group}." for group in GROUPS if group not in ("suite", "tracking")]
    return [*(f"{word}=" for word in {*GROUPS, *settings} - {"defaults"}), *nested]


def _values(key: str) -> Iterable[str]:
    return _names(key) if key in GROUPS else VALUES.get(key, ())


def _nested(group: str, given: Sequence[str]) -> list[str]:
    """``model.C=``, ``protocol.folds=`` ...: what the chosen member of a group can be told."""
    chosen = {**dict(DEFAULT.findall(_text("config"))), **_assigned(given)}
    name = re.split(r"[,+]", chosen.get(group, ""))[0]
    if group in PLUGINS and (plugin := discover(PLUGINS[group]).get(name)) is not None:
        return _parameters(group, plugin)
    return [f"{group}.{key}=" for key in KEY.findall(_text(f"{group}/{name}")) if key != "name"]


def _parameters(group: str, plugin: Plugin) -> list[str]:
    known = getattr(plugin.card, "parameters", plugin.parameters) or {}
    found = [f"{group}.{name}=" for name in known]
    for name, dimension in getattr(plugin.card, "space", {}).items():
        ends = ("options",) if isinstance(dimension, Choice) else ("low", "high")
        found += [f"{group}.space.{name}.{end}=" for end in ends]
    return found


def _assigned(given: Sequence[str]) -> dict[str, str]:
    return {key: value for key, equals, value in (word.partition("=") for word in given) if equals}


def _text(name: str) -> str:
    """A file of ``conf/``; ours goes before the bundled one."""
    found = [folder / f"{name}.yaml" for folder in conf_folders()]
    path: Path | None = next((path for path in found if path.is_file()), None)
    return path.read_text(encoding="utf-8") if path is not None else ""
