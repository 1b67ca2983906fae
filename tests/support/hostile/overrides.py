"""The command line's overrides, and YAML files of a user's own ``conf`` folder."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench import plugins as plugin_root
from cytobench.config import compose_jobs
from cytobench.registry.declared import declared
from cytobench.run.cells import load_cell
from cytobench.run.jobs import plan_jobs
from support.hostile.answers import Answer, answer, family
from support.hostile.tables import mutated
from support.hostile.texts import hostile, unicode_text

KEYS = (
    "dataset", "task", "model", "preprocess", "protocol", "tuning", "engine", "tracking", "suite",
    "model.C", "model.space.C.high", "model.space", "tuning.trials", "tuning.seconds", "seed",
    "device",
    "data", "store", "permutations", "explain", "floors", "protocol.folds", "protocol.repeats",
    "preprocess.max_below", "audit.acknowledge.LEAK", "engine.workers", "engine.fold_seconds",
    "dataset.n", "hydra.run.dir", "defaults", "leaderboards", "_target_", "model._target_",
    "a.b.c", "",
)  # fmt: skip
WORDS = (
    "ridge", "elastic_net", "sim_inflamed_mdd", "sim_gendep+sim_embarc", "a+b", "+", "response",
    "none",
    "1,2", "range(0,3)", "range(0,1e9)", "range(3)", "glob(*)", "glob(x*)", "choice(1,2)",
    "interval(0,1)",
    "sort(3,1)", "shuffle(1,2)", "null", "nan", "inf", "-1", "0", "1.5", "1e308", "9" * 30,
    "[1,2]", "[", "{a:1}",
    "{a:{b:1}}", "{", "'x'", '"x', "\\", "${seed}", "${nothing}", "${oc.env:HOME}",
    "${oc.decode:x}",
    "${", "???", "true", "tag(a,1)", "int(x)", "../../etc/passwd", "/etc/passwd", "off", "[ridge]",
    "@x", "~",
)  # fmt: skip
VALUES = st.sampled_from(WORDS) | hostile


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """In a working directory of its own."""
    before = Path.cwd()
    os.chdir(folder)
    plugin_root.refresh()
    try:
        yield
    finally:
        os.chdir(before)
        plugin_root.refresh()


@family(
    "overrides",
    "overrides of the command line: keys, values, sweeps, interpolations, any text",
    "E101 to E106 with the override, and what there is",
    share=0.3,
)
def overrides(data: Any, folder: Path) -> Answer:
    """Anything behind ``cytobench run``."""
    count = data.draw(st.integers(1, 3))
    said = []
    for _ in range(count):
        sign = data.draw(st.sampled_from(["", "", "", "", "+", "~", "++", "-"]))
        key = data.draw(st.sampled_from(KEYS) | hostile)
        equals = data.draw(st.sampled_from(["=", "=", "=", "=", "", "==", ":"]))
        said.append(f"{sign}{key}{equals}{data.draw(VALUES)}")
    with inside(folder):
        return answer(lambda: plan_jobs(said), right=None)


DATASET = """# A cohort of one's own
name: mine
summary: A table
source: {file: t.csv}
patient: id
analytes: {columns: [IL-6], unit: pg/mL}
outcome: {label: y, positive: [1]}
"""
MODEL = """_target_: sklearn.linear_model.LogisticRegression
name: mine
C: 1.0
space: {C: {type: float, low: 0.1, high: 10, log: true}}
"""
SUITE = """name: mine
version: 1
title: A suite
entries: [{dataset: sim_inflamed_mdd, task: response}]
models: [ridge]
overrides: [protocol.repeats=1]
"""
CANARY = "/tmp/cytobench-canary"
PIECES = (
    "!!python/object/apply:os.system ['touch " + CANARY + "']", "!!python/name:os.system",
    "!!binary x",
    "!!timestamp 99999-99-99", "2024-13-45", "!!set {a, b}", "!!omap [a: 1]", "!x y", "&a [*a]",
    "*nobody",
    "<<: 1", "<<: *nobody", "a: b: c", "\t- x", "- - - -", "? [a]\n: b", "{[a]: 1}", "{{a: 1}: 1}",
    "'", '"', "|\n  x", ">",
    "1" + "0" * 5000, "0o7777", "1:30:00", ".inf", ".nan", "0x" + "f" * 300, "---\na: 1", "...",
    "%YAML 9.9", "\x00",
    "\ufeffname: x", "name: [1, 2]", "name: {a: b}", "name: null", "name: ../x", "name: 1",
    "defaults: [x]",
    "defaults: [/model: nothing]", "defaults: x", "_self_", "${dataset.nothing}",
    "${oc.env:NOTHING_SUCH}",
    "${oc.create:x}", "space: [1]", "space: {C: 1}", "space: {C: {type: x}}", "_target_: os.system",
    "_target_: 1", "_partial_: true", "entries: x", "entries: [{}]", "entries: [1]",
    "models: {a: 1}", "overrides: 1",
    "entries: []", "models: []", "a: &x [1]\nb: *x",
)  # fmt: skip


@family(
    "conf folder",
    "YAML files in ./conf: broken, tagged, aliased, in other encodings",
    "E10x with the file, or the configuration; no tag builds an object",
    share=0.4,
)
def conf_folder(data: Any, folder: Path) -> Answer:
    """A user's own YAML of a dataset, a model or a suite, broken in some way."""
    group, honest = data.draw(
        st.sampled_from([("dataset", DATASET), ("model", MODEL), ("suite", SUITE)])
    )
    lines = honest.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition(":")[0]
        piece = data.draw(st.sampled_from(PIECES) | unicode_text)
        how = data.draw(st.sampled_from(["line", "value", "drop"]))
        lines[at] = {"line": piece, "value": f"{key}: {piece}", "drop": ""}[how]
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1"]))
    content = bytearray("\n".join(lines).encode(encoding, "replace"))
    if data.draw(st.integers(0, 4)) == 0:
        content = mutated(data.draw, content)
    path = folder / "conf" / group / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    def both() -> Any:
        assert "mine" in declared(group)
        one = ["dataset=mine"] if group == "dataset" else ["dataset=sim_inflamed_mdd", "model=mine"]
        return plan_jobs(["suite=mine"]) if group == "suite" else compose_jobs(one)

    with inside(folder), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="hydra")  # what it advises of defaults lists
        try:
            return answer(both, right=None)
        finally:
            assert not Path(CANARY).exists()


SETTINGS = (
    "tuning.trials", "tuning.seconds", "tuning.metric", "tuning.sampler", "tuning.batched", "seed",
    "device",
    "protocol.folds", "protocol.repeats", "protocol.inner_folds", "protocol.train_fraction",
    "preprocess.max_below", "preprocess.max_missing", "dataset.n", "dataset.seed", "model.C",
    "model.space.C.low",
    "model.space.C.high", "model.space.C.log", "model.space.C", "model.space", "task.decide_at",
    "task.thresholds", "data", "permutations", "explain", "floors", "audit.acknowledge",
    "task.kind",
    "model.name", "dataset.name", "protocol.name", "preprocess.name",
)  # fmt: skip


@family(
    "settings",
    "a setting of a cell with any value behind it: words, signs, sizes, lists",
    "E1xx to E4xx with the setting",
    share=0.2,
)
def settings(data: Any, folder: Path) -> Answer:
    """What composes is checked once more before anything is fitted."""
    key = data.draw(st.sampled_from(SETTINGS))
    value = data.draw(st.sampled_from(WORDS) | st.integers(-5, 20).map(str) | hostile)
    said = ["dataset=sim_inflamed_mdd", "dataset.n=80", "task=response", "model=ridge",
            "floors=[]", f"{key}={value}"]  # fmt: skip

    def load() -> None:
        for cell in plan_jobs(said).cells[:2]:
            load_cell(cell)

    with inside(folder):
        return answer(load, right=None)
