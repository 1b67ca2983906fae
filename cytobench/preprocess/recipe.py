"""A composed ``preprocess`` node, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from cytobench.core.errors import UsageError, did_you_mean
from cytobench.core.settings import real, truth, whole

CHOICES = {
    "censored": ("llod_sqrt2", "ros", "censored_mle", "draws"),
    "batch": ("none", "combat"),
    "batch_by": ("plate", "site", "study"),
    "batch_unseen": ("error", "pass"),
    "missing": ("median", "mean"),
}
SWITCHES = ("log", "censored_indicators", "indicators", "scale")
MOST_DRAWS = 100


@dataclass(frozen=True)
class Recipe:
    """How baseline columns become numbers; everything is fitted on the training part.

    Attributes
    ----------
    log : bool
        Natural logarithm of analytes on a linear scale.
    max_below : float or None
        Analytes below detection in more than this share of the training part are left out.
    censored : str
        What a value beyond a limit of detection becomes.
    draws : int
        With ``censored="draws"``: imputations, over which predictions are averaged.
    censored_indicators : bool
        A column for each analyte that says "was not detected".
    batch : {"none", "combat"}
    batch_by : {"plate", "site", "study"}
    batch_unseen : {"error", "pass"}
    batch_except : tuple of str
        Analytes that were measured elsewhere than on these plates.
    features : tuple of str
        Groups of features of the domain that are added.
    missing : {"median", "mean"}
    indicators : bool
        A column for each feature that says "was missing".
    scale : bool
        To mean 0, standard deviation 1.
    """

    name: str
    log: bool = True
    max_below: float | None = None
    censored: str = "llod_sqrt2"
    draws: int = 1
    censored_indicators: bool = False
    batch: str = "none"
    batch_by: str = "plate"
    batch_unseen: str = "error"
    batch_except: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    missing: str = "median"
    indicators: bool = False
    scale: bool = True


def recipe_from_config(config: Mapping[str, Any]) -> Recipe:
    """Read a ``preprocess`` node.

    Raises
    ------
    UsageError
        ``E112`` for an unknown option or value, or options that exclude each other.
    """
    try:
        recipe = Recipe(**config)
    except TypeError as error:
        known = [field.name for field in fields(Recipe)]
        wrong = next((key for key in config if key not in known), "")
        raise UsageError(
            "E112", str(error), where="preprocess", hint=did_you_mean(wrong, known)
        ) from error
    for name, values in CHOICES.items():
        given = getattr(recipe, name)
        if given not in values:
            raise _wrong(name, f"{given!r} is unknown", f"there are: {', '.join(values)}")
    recipe = replace(
        recipe, features=_features(recipe.features), batch_except=_names(recipe.batch_except)
    )
    for name in SWITCHES:
        truth(getattr(recipe, name), "E112", f"preprocess.{name}")
    share = recipe.max_below
    if share is not None and not 0 <= real(share, "E112", "preprocess.max_below") <= 1:
        raise _wrong("max_below", f"must be between 0 and 1, not {share}", "0.5: at most half")
    whole(recipe.draws, "E112", "preprocess.draws", 1, MOST_DRAWS)
    if recipe.draws > 1 and recipe.censored != "draws":
        raise _wrong("draws", "only one is made", "set preprocess.censored=draws too")
    if not recipe.log and (recipe.batch != "none" or recipe.features):
        what = "batch" if recipe.batch != "none" else "features"
        raise _wrong(what, "works on logarithms", "set preprocess.log=true")
    return recipe


def _features(given: Any) -> tuple[str, ...]:
    names = _names(given)
    if not names:
        return ()
    from cytobench.preprocess.features import GROUPS, unknown_group

    for name in names:
        if name not in GROUPS:
            raise unknown_group(name)
    return names


def _names(given: Any) -> tuple[str, ...]:
    """One name or a list of them."""
    if isinstance(given, str):
        return (given,)
    if given is not None and not isinstance(given, (list, tuple)):
        raise UsageError("E112", f"expected a list of names, not {given!r}", where="preprocess")
    return tuple(str(name) for name in given or ())


def _wrong(option: str, message: str, hint: str) -> UsageError:
    return UsageError("E112", message, where=f"preprocess.{option}", hint=hint)
