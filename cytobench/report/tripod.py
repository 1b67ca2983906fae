"""TRIPOD+AI: the items that a run can fill, and those that only the author can.

Collins et al. 2024, doi:10.1136/bmj-2023-078378. Item numbers follow the published checklist as
given second-hand in our notes: compare with the paper before you submit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cytobench.data.target import BENEFIT
from cytobench.evaluate.metrics import tuning_metric
from cytobench.evaluate.scores import LEAVE_ONE_OUT

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
    population = about["dataset"].get("population", "")
    return f"As the data set states it: {population}." if population else ""


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
    return (
        f"Offered to the model: what the data set declares as measured before treatment, {inputs}; "
        f"the cohort has {about['dataset']['analytes']} analytes. Nothing was chosen outside the "
        "training parts."
    )


def _sample_size(about: About, headline: str) -> str:
    return (
        f"{_development(about, headline)} `cytobench plan` gives what Riley's criteria ask for, "
        "and the page of the entry what each model's size asks for."
    )


def _development(about: About, headline: str) -> str:
    del headline
    events = f", {about['events']} with the outcome" if about["events"] is not None else ""
    return f"{about['n']} patients{events}; {_folds(about)}."


def _missing(about: About, headline: str) -> str:
    del headline
    recipe = about["config"]["preprocess"]
    if "missing" not in recipe or "censored" not in recipe:
        return ""
    return (
        f"Missing values: {recipe['missing']} of the training part; below the limit of detection: "
        f"{recipe['censored']}. Patients without an outcome are left out."
    )


def _analysis(about: About, headline: str) -> str:
    del headline
    protocol = about["protocol"]
    return (
        f"Protocol {protocol['name'].replace('_', ' ')}: {_folds(about)}, inner folds inside each "
        f"training part; it speaks about {protocol['claim']}."
    )


def _folds(about: About) -> str:
    return f"{about['folds']} outer folds" if about["folds"] > 1 else "one training and test part"


def _model(about: About, headline: str) -> str:
    del headline
    return f"{about['model']['summary'].rstrip('.')}. {_tuning(about)}"


def _tuning(about: About) -> str:
    tuning = about["config"]["tuning"]
    if tuning["sampler"] == "none" or not about["config"]["model"].get("space"):
        return "Not tuned."
    metric = tuning_metric(tuning["metric"], about["task"]["kind"])
    if about["task"]["kind"] == BENEFIT:
        metric = "distance to the doubly robust effect (rules: by their value)"
    return (
        f"Tuned by {tuning['sampler']}, {tuning['trials']} trials in each outer fold, by {metric} "
        "on inner folds."
    )


def _measures(about: About, headline: str) -> str:
    del headline
    if about["task"]["kind"] == BENEFIT:
        measures = (
            "Value of the rule (AIPW, and by inverse propensities), gain over one treatment for "
            "all, AUTOC and Qini, calibration of benefit and C-for-benefit"
        )
    elif about["task"]["kind"] == "regression":
        measures = "Absolute and squared errors, R², rank correlation and calibration slope"
    else:
        measures = (
            "Discrimination, calibration (intercept, slope, smoothed curve, ICI), overall scores "
            "and net benefit"
        )
    return f"{measures}; interval and method stand beside each number of this page."


def _imbalance(about: About, headline: str) -> str:
    del headline
    if about["events"] is None:
        return "Not applicable: the outcome is a number."
    return (
        f"{about['outcome_mean']:.0%} have the outcome. The framework resampled and reweighted "
        "nothing; what the model itself does is in its settings."
    )


def _fairness(about: About, headline: str) -> str:
    del about, headline
    return "No correction. Performance by subgroup, where the cohort knows them: see the subgroups."


def _output(about: About, headline: str) -> str:
    del headline
    if about["task"]["kind"] == BENEFIT:
        return f"A treatment for each patient: {', '.join(about['benefit']['arms'])}."
    if about["task"]["kind"] == "regression":
        return f"A number: {about['task']['meaning']}."
    return (
        "A probability of the outcome; where decisions are scored, the threshold is chosen on the "
        "inner folds of each training part."
    )


def _difference(about: About, headline: str) -> str:
    del headline
    return (
        "Training and test parts are parts of one cohort, with one definition of outcome and "
        f"predictors; the test parts stand for {about['protocol']['claim']}."
    )


def _prediction(about: About, headline: str) -> str:
    del about, headline
    return (
        "The procedure is fitted to each training part and predicts its test part; the numbers are "
        "those of the procedure. No model was refitted to all patients."
    )


def _data_sharing(about: About, headline: str) -> str:
    del headline
    licence = about["dataset"].get("licence")
    return f"Licence of the data: {licence}." if licence else ""


def _code(about: About, headline: str) -> str:
    del headline
    commit = f", commit {about['git_commit'][:12]}" if about["git_commit"] else ""
    version = about["versions"].get("cytobench", "")
    return f"cytobench {version}{commit}; repeat with `{about['command']}`.".replace("  ", " ")


def _flow(about: About, headline: str) -> str:
    del headline
    return f"{about['dataset']['patients']} patients read, {about['n']} with a known outcome."


def _characteristics(about: About, headline: str) -> str:
    del about, headline
    return "Counts by subgroup: see the subgroups. A full table of characteristics is the author's."


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
    del headline
    sites = about["protocol"]["name"] in LEAVE_ONE_OUT
    by_site = "Each site as the test part, and interaction tests" if sites else "Interaction tests"
    return f"{by_site} by subgroup: see the tables."


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
    "12g": _prediction,
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
