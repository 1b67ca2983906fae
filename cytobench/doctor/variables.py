"""Variables that are misspelt, point nowhere, or are not what they seem to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from cytobench.doctor.register import Situation, Symptom, check

PREFIX = "CYTOBENCH"
KNOWN = ("CYTOBENCH_CHECKPOINTS", "CYTOBENCH_DATA", "CYTOBENCH_PLUGINS")
"""Variables that commands read."""
ELSEWHERE = (
    "CYTOBENCH",
    "CYTOBENCH_BENCHMARK_CACHE",
    "CYTOBENCH_CHROMIUM",
    "CYTOBENCH_TEST_TRACKING",
)
"""Variables of the repository's own tests and scripts."""


@check(
    "D301", "a variable that nothing reads", "warning",
    "A misspelt name has no effect, and nobody says so.",
)  # fmt: skip
def misspelt(situation: Situation) -> Iterator[Symptom]:
    """Compare the names with those that are read."""
    for name in situation.environment:
        ours = name.upper().startswith(PREFIX) or name.upper().startswith("CYTO_BENCH")
        if not ours or name in KNOWN or name in ELSEWHERE:
            continue
        close = get_close_matches(name.upper(), KNOWN, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(KNOWN)}"
        yield Symptom("is read by nothing", name, hint)


@check(
    "D302", "a folder of plugins is not there", "warning",
    "The plugins that it should hold are not found.",
)  # fmt: skip
def no_plugin_folder(situation: Situation) -> Iterator[Symptom]:
    """Look at each folder of the variable."""
    named = situation.environment.get("CYTOBENCH_PLUGINS", "")
    for part in filter(None, named.split(os.pathsep)):
        folder = (situation.folder / Path(part).expanduser()).resolve()
        hint = f"folders are separated by {os.pathsep!r}; each has models/ or datasets/ in it"
        if not folder.is_dir():
            yield Symptom(f"{part} is no folder", "CYTOBENCH_PLUGINS", hint)
        elif not any((folder / kind).is_dir() for kind in ("models", "datasets")):
            yield Symptom(f"{part} holds no plugins", "CYTOBENCH_PLUGINS", hint)


@check(
    "D303", "a folder of data or checkpoints is not there", "warning",
    "Tables are not found, or long trainings keep no state.",
)  # fmt: skip
def no_data_folder(situation: Situation) -> Iterator[Symptom]:
    """Look at each folder that is named."""
    named = {
        name: situation.environment.get(name)
        for name in ("CYTOBENCH_DATA", "CYTOBENCH_CHECKPOINTS")
    }
    named["data="] = situation.settings.get("data")
    for name, value in named.items():
        if not value:
            continue
        if value.startswith("~"):
            yield Symptom(f"{value} is taken literally", name, "write $HOME in place of ~")
        elif not (situation.folder / value).is_dir():
            yield Symptom(f"{value} is no folder", name, "name the folder that holds the tables")


@check(
    "D304", "MLflow's own variable names another place", "warning",
    "cytobench writes to tracking.uri alone; who browses with mlflow itself sees another store.",
)  # fmt: skip
def another_tracking(situation: Situation) -> Iterator[Symptom]:
    """Compare it with the configuration."""
    named = situation.environment.get("MLFLOW_TRACKING_URI")
    used = situation.tracking.get("uri")
    if named and used and named != used:
        yield Symptom(
            f"it is {named}, and results go to {used}",
            "MLFLOW_TRACKING_URI",
            f"cytobench run tracking.uri={named}",
        )


@check(
    "D305", "doubled runtimes of OpenMP are hidden", "warning",
    "The variable silences OMP: Error #15; Intel says of it that it may cause crashes or silently "
    "produce incorrect results.",
)  # fmt: skip
def hidden_runtimes(situation: Situation) -> Iterator[Symptom]:
    """Look at the variable that people paste from answers in forums."""
    if situation.environment.get("KMP_DUPLICATE_LIB_OK", "").upper() in ("TRUE", "1"):
        yield Symptom("is set", "KMP_DUPLICATE_LIB_OK", "unset it, and see D106")
