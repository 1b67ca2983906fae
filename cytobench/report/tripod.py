"""TRIPOD+AI: the items that a run can fill, and those that only the author can.

Collins et al. 2024, doi:10.1136/bmj-2023-078378. Item numbers follow the published checklist as
given second-hand in our notes: compare with the paper before you submit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

About = Mapping[str, Any]
AUTHOR = "AUTHOR MUST FILL"


@dataclass(frozen=True)
class Item:
    """One line of the checklist.

    Attributes
    ----------
    text : str
        What the run says, or `AUTHOR`.
    by_run : bool
    """

    number: str
    title: str
    text: str
    by_run: bool


def checklist(about: About, headline: str) -> list[Item]:
    """All items for one cell.

    Parameters
    ----------
    about : mapping
        The content of ``cell.json``.
    headline : str
        The main result as text, with its interval.
    """
    found = []
    for number, title in _TITLES.items():
        fill = _FILLED.get(number)
        text = fill(about, headline) if fill else ""
        found.append(Item(number, title, text or AUTHOR, bool(text)))
    return found


def _data(about: About, headline: str) -> str:
    del headline
    card = about["dataset"]
    said = [card["summary"], card.get("origin", ""), card.get("citation", "")]
    return ". ".join(part for part in said if part)


def _setting(about: About, headline: str) -> str:
    del headline
    return str(about["dataset"].get("population", ""))


def _preparation(about: About, headline: str) -> str:
    del headline
    recipe = about["config"]["preprocess"]
    said = ", ".join(f"{key} {value}" for key, value in recipe.items() if key != "name")
    return f"Preprocessing {recipe['name']!r} ({said}), fitted inside each training part."


def _outcome(about: About, headline: str) -> str:
    del headline
    return f"{about['task']['name']}: {about['task']['meaning']}."


def _predictors(about: About, headline: str) -> str:
    del headline
    inputs = " and ".join(about["model"]["inputs"])
    return f"All baseline {inputs}; {about['dataset']['analytes']} analytes. None after treatment."


def _sample_size(about: About, headline: str) -> str:
    del headline
    events = f", {about['events']} with the outcome" if about["events"] is not None else ""
    return f"{about['n']} patients{events}. `cytobench plan` gives what Riley's criteria ask for."


def _missing(about: About, headline: str) -> str:
    del headline
    recipe = about["config"]["preprocess"]
    return (
        f"Missing values: {recipe['missing']} of the training part; below the limit of detection: "
        f"{recipe['censored']}."
    )


def _analysis(about: About, headline: str) -> str:
    del headline
    protocol = about["protocol"]
    return (
        f"{protocol['name'].replace('_', ' ')}, {about['folds']} outer folds, inner folds inside "
        f"each training part; it speaks about {protocol['claim']}."
    )


def _model(about: About, headline: str) -> str:
    del headline
    tuning = about["config"]["tuning"]
    return (
        f"{about['model']['summary']} Tuned by {tuning['sampler']}, {tuning['trials']} trials in "
        f"each outer fold, on {tuning['metric']}."
    )


def _measures(about: About, headline: str) -> str:
    del about, headline
    return (
        "Discrimination, calibration (intercept, slope, smoothed curve, ICI), overall scores and "
        "net benefit, each with a 95 % interval and its method: see the table."
    )


def _imbalance(about: About, headline: str) -> str:
    del headline
    if about["events"] is None:
        return "Not applicable: the outcome is a number."
    return f"{about['outcome_mean']:.0%} have the outcome; nothing was resampled or reweighted."


def _fairness(about: About, headline: str) -> str:
    del about, headline
    return "Performance by sex, age, BMI, CRP, arm and site where known: see the subgroups."


def _output(about: About, headline: str) -> str:
    del headline
    kind = about["task"]["kind"]
    return "A probability." if kind == "classification" else "A change in per cent of baseline."


def _difference(about: About, headline: str) -> str:
    del headline
    return f"Training and test parts come from {about['protocol']['claim']}."


def _data_sharing(about: About, headline: str) -> str:
    del headline
    return f"Licence of the data: {about['dataset'].get('licence') or 'not stated'}."


def _code(about: About, headline: str) -> str:
    del headline
    commit = f", commit {about['git_commit'][:12]}" if about["git_commit"] else ""
    return f"cytobench{commit}; repeat with `{about['command']}`."


def _flow(about: About, headline: str) -> str:
    del headline
    return f"{about['dataset']['patients']} patients read, {about['n']} with a known outcome."


def _characteristics(about: About, headline: str) -> str:
    del about, headline
    return "Counts by subgroup: see the subgroups. A full table of characteristics: author."


def _development(about: About, headline: str) -> str:
    return _sample_size(about, headline)


def _specification(about: About, headline: str) -> str:
    del headline
    return (
        f"Plugin {about['model']['name']} {about['model']['version']}, source "
        f"{about['model']['source'][:12]}. What was scored is the procedure; a model refitted to "
        "all patients was not."
    )


def _performance(about: About, headline: str) -> str:
    del about
    return headline


def _heterogeneity(about: About, headline: str) -> str:
    del about, headline
    return "Interaction tests by subgroup and, under leave-one-site-out, each site: see below."


def _not_updated(about: About, headline: str) -> str:
    del about, headline
    return "None: nothing was updated."


_TITLES = {
    "1": "Title",
    "2": "Abstract",
    "3a": "Background: context and rationale",
    "3b": "Background: target population and users",
    "3c": "Background: known health inequalities",
    "4": "Objectives",
    "5a": "Data sources",
    "5b": "Dates of the data",
    "6a": "Setting",
    "6b": "Eligibility",
    "6c": "Treatments received",
    "7": "Data preparation",
    "8a": "Outcome",
    "8b": "Outcome assessors",
    "8c": "Blinding of outcome assessment",
    "9a": "Choice of predictors",
    "9b": "Definition of predictors",
    "9c": "Predictor assessors",
    "10": "Sample size",
    "11": "Missing data",
    "12a": "Analysis: use of the data",
    "12b": "Analysis: handling of predictors",
    "12c": "Analysis: model and tuning",
    "12d": "Analysis: heterogeneity",
    "12e": "Analysis: measures of performance",
    "12f": "Analysis: updating",
    "12g": "Analysis: how predictions are made",
    "13": "Class imbalance",
    "14": "Fairness",
    "15": "Model output",
    "16": "Training against evaluation",
    "17": "Ethical approval",
    "18a": "Funding",
    "18b": "Conflicts of interest",
    "18c": "Protocol",
    "18d": "Registration",
    "18e": "Data sharing",
    "18f": "Code sharing",
    "19": "Patient and public involvement",
    "20a": "Participants: flow",
    "20b": "Participants: characteristics",
    "20c": "Participants: development against evaluation",
    "21": "Model development",
    "22": "Model specification",
    "23a": "Model performance",
    "23b": "Heterogeneity of performance",
    "24": "Model updating: results",
    "25": "Interpretation",
    "26": "Limitations",
    "27a": "Usability: poor or missing input",
    "27b": "Usability: users",
    "27c": "Usability: next steps",
}

_FILLED: dict[str, Callable[[About, str], str]] = {
    "5a": _data,
    "6a": _setting,
    "7": _preparation,
    "8a": _outcome,
    "9a": _predictors,
    "9b": _predictors,
    "10": _sample_size,
    "11": _missing,
    "12a": _analysis,
    "12b": _preparation,
    "12c": _model,
    "12d": _heterogeneity,
    "12e": _measures,
    "12f": _not_updated,
    "12g": _specification,
    "13": _imbalance,
    "14": _fairness,
    "15": _output,
    "16": _difference,
    "18e": _data_sharing,
    "18f": _code,
    "20a": _flow,
    "20b": _characteristics,
    "20c": _difference,
    "21": _development,
    "22": _specification,
    "23a": _performance,
    "23b": _heterogeneity,
    "24": _not_updated,
}
