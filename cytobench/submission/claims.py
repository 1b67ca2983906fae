"""What a bundle claims of itself: scores, plugin, suite, name and role, each held to account."""

from __future__ import annotations

import ast
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from cytobench.core.cards import ModelCard
from cytobench.core.errors import CytobenchError
from cytobench.core.hashing import canonical_json, digest
from cytobench.registry.discover import discover
from cytobench.registry.load import source_of
from cytobench.run.jobs import AD_HOC, plan_jobs
from cytobench.submission.bundle import CARD, CELL, PLUGIN, SCORES, SOURCE, Bundle
from cytobench.submission.codes import BundleError, refusal
from cytobench.submission.exchange import cell_key, scores_of
from cytobench.submission.licensed import comes_with_cytobench

TOLERANCE = 1e-6
"""Of a stated score: other machines round the last digits of a resampled interval differently."""


def false_claims(bundle: Bundle) -> Iterator[BundleError]:
    """Every claim that does not hold."""
    yield from _key(bundle)
    yield from _role(bundle)
    yield from _plugin(bundle)
    hijacked = list(_name(bundle))
    yield from hijacked
    yield from _suite(bundle)
    if not hijacked:  # else the plugin of that name here says nothing of the bundle's
        yield from _parameters(bundle)
    if bundle.about["permutation"]:
        yield refusal("E746", "states permuted labels", bundle.at(CELL))


def false_scores(bundle: Bundle) -> Iterator[BundleError]:
    """Every number is computed from the predictions; one that is stated otherwise is named."""
    computed = scores_of(bundle.about, bundle.claimed)
    for name in sorted({*computed, *bundle.scores}):
        stated, found = bundle.scores.get(name), computed.get(name)
        if stated is None or found is None:
            said = "is not stated" if stated is None else "is no score of this task"
            yield refusal("E740", f"{name} {said}", bundle.at(SCORES))
            return
        for part in ("value", "low", "high"):
            if not _close(stated[part], found[part]):
                yield refusal(
                    "E740",
                    f"{name}.{part} is {found[part]}, the bundle states {stated[part]}",
                    bundle.at(SCORES),
                )
                return


def _close(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _key(bundle: Bundle) -> Iterator[BundleError]:
    try:
        expected = cell_key(bundle.cell, bundle.about)
    except CytobenchError as error:
        expected = str(error)
    if expected != bundle.key:
        yield refusal("E749", f"is {bundle.key[:12]}, not {expected[:40]}", bundle.at(CELL))


def _role(bundle: Bundle) -> Iterator[BundleError]:
    """Floors and ceilings come from cytobench, never from a submission."""
    if bundle.card["transductive"]:
        yield refusal("E747", "sees the other test patients, as its card says", bundle.at(CARD))
    if bundle.card["role"] == "floor" and not _is_bundled_floor(bundle.model):
        yield refusal("E747", "says that it is a floor", bundle.at(CARD))


def _is_bundled_floor(name: str) -> bool:
    plugin = discover("model").get(name)
    if plugin is None or not isinstance(plugin.card, ModelCard) or plugin.card.role != "floor":
        return False
    return comes_with_cytobench(plugin)


def _plugin(bundle: Bundle) -> Iterator[BundleError]:
    plugin, at = bundle.plugin, bundle.at(PLUGIN)
    follows = digest([plugin["file"], *plugin["parts"]]) if plugin["parts"] else plugin["file"]
    if follows != plugin["source"]:
        yield refusal("E741", "the plugin's hash does not follow from those of its files", at)
        return
    if bundle.source is None:
        return
    found = hashlib.sha256(bundle.source).hexdigest()
    if found != plugin["file"]:
        yield refusal(
            "E741",
            f"has sha256 {found[:12]}, {PLUGIN} states {plugin['file'][:12]}",
            bundle.at(SOURCE),
        )
        return
    try:
        ast.parse(bundle.source)  # read, never run
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        yield refusal("E741", f"is no Python: {error}", bundle.at(SOURCE))


def _name(bundle: Bundle) -> Iterator[BundleError]:
    """A name that is taken here belongs to the source that has it here."""
    taken = {alike(name): name for name in discover("model")}
    holder = taken.get(alike(bundle.model))
    if holder is None:
        return
    if holder != bundle.model:
        yield refusal(
            "E742", f"is called {bundle.model!r}, too much like {holder!r}", bundle.at(CARD)
        )
        return
    here = installed_source(bundle)
    if here != bundle.plugin["source"]:
        yield refusal(
            "E742",
            f"{bundle.model} is installed here with sha256 {here[:12] or 'unknown'}, the bundle's "
            f"has {bundle.plugin['source'][:12]}",
            bundle.at(PLUGIN),
        )


def installed_source(bundle: Bundle) -> str:
    """The hash of the installed plugin of that name and of its parts; empty where there is none.

    Read from the files: whoever verifies has perhaps not read the plugin yet, and runs none of it.
    """
    plugin = discover("model").get(bundle.model)
    if plugin is None or plugin.problem:
        return ""
    file = source_of(plugin)
    composed = plugin.card.composed if isinstance(plugin.card, ModelCard) else None
    if composed is None:
        return file
    names = bundle.about["config"]["model"].get(composed, (plugin.parameters or {})[composed])
    names = [names] if isinstance(names, str) else names
    known = discover("model")
    if not isinstance(names, (list, tuple)) or not all(name in known for name in names):
        return ""
    return digest([file, *(source_of(known[name]) for name in names)])


def alike(name: str) -> str:
    """Names that people cannot tell apart are one name."""
    return name.casefold().replace("_", "").replace("l", "1").replace("o", "0")


def _suite(bundle: Bundle) -> Iterator[BundleError]:
    """A row of a suite has every setting that the suite fixes, and no parameter of its own."""
    suite, entry = bundle.cell["suite"], bundle.cell["entry"]
    if suite == AD_HOC:
        return
    try:
        fixed = suite_settings(suite, entry)
    except CytobenchError as error:
        yield refusal("E745", f"{suite}: {error.message}", bundle.at(CELL))
        return
    if fixed is None:
        yield refusal("E745", f"the suite {suite} has no entry {entry}", bundle.at(CELL))
        return
    mine = settings_of(bundle.about)
    for name, value in fixed.items():
        if canonical_json(mine[name]) != canonical_json(value):
            yield refusal(
                "E744",
                f"the suite {suite} has {name} {_short(value)}, the bundle {_short(mine[name])}",
                bundle.at(CELL),
            )
            return


def _parameters(bundle: Bundle) -> Iterator[BundleError]:
    """Under a suite a model runs as its plugin declares it."""
    plugin = discover("model").get(bundle.model)
    if (
        bundle.cell["suite"] == AD_HOC
        or plugin is None
        or plugin.problem
        or "_target_" in bundle.about["config"]["model"]
    ):
        return
    from cytobench.config import plugin_node

    declared, mine = plugin_node(plugin), bundle.about["config"]["model"]
    if canonical_json(declared) != canonical_json(mine):
        changed = sorted(
            key
            for key in {*declared, *mine}
            if canonical_json(declared.get(key)) != canonical_json(mine.get(key))
        )
        yield refusal(
            "E744", f"model.{changed[0]} is not as the plugin declares it", bundle.at(CELL)
        )


def suite_settings(suite: str, entry: str) -> dict[str, Any] | None:
    """What a suite fixes for an entry; None where it has no such entry."""
    config = suite_configs(suite).get(entry)
    if config is None:
        return None
    return {
        "dataset": config["dataset"]["name"],
        **{name: config[name] for name in ("task", "preprocess", "protocol", "tuning")},
        "seed": config["seed"],
    }


def suite_configs(suite: str, overrides: Sequence[str] = ()) -> Mapping[str, Mapping[str, Any]]:
    """Entry -> the configuration of its cells, whatever the model.

    Raises
    ------
    UsageError
        ``E102`` where there is no such suite.
    """
    return _suite_configs(suite, tuple(overrides), str(Path.cwd()))


@lru_cache(maxsize=8)
def _suite_configs(
    suite: str, overrides: tuple[str, ...], working_directory: str
) -> dict[str, Mapping[str, Any]]:
    # The working directory is part of the cache's key: it may have suites of its own.
    del working_directory
    one = [f"suite={suite}", "model=prior", "floors=[]", *overrides]
    return {cell.entry: cell.config for cell in plan_jobs(one).cells if cell.suite == suite}


def settings_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a bundle."""
    task = {name: value for name, value in about["task"].items() if name != "meaning"}
    protocol = {name: value for name, value in about["protocol"].items() if name != "claim"}
    config = about["config"]
    return {
        "dataset": about["dataset"]["name"],
        "task": task,
        "preprocess": config["preprocess"],
        "protocol": protocol,
        "tuning": config["tuning"],
        "seed": config["seed"],
    }


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= 80 else text[:77] + "..."
