"""Configurations that are composed together are those that Hydra composes one by one."""

import itertools

import pytest
from hydra import compose
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from omegaconf import OmegaConf

from cytobench import config, plugins
from cytobench.config import compose_jobs, composing
from cytobench.config.bundled import BundledConfigSource

CONF = plugins.bundled("conf")

LINES = [
    [],
    ["model=elastic_net,ridge", "tuning=off,random", "model.C=1,2", "protocol.folds=3"],
    ["model=elastic_net", "model.space.C.high=10", "+model.new=3", "~model.l1_ratio"],
    ["model.space.C={low: 1, high: 2}", "seed=range(0,3)", "engine=serial"],
    ["dataset=gendep+comed", "dataset.studies.gendep.name=x"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_each_configuration_is_the_one_that_hydra_composes(line, working_directory):
    found = compose_jobs(line)

    with config.composing() as composer:
        swept = [config._expand(item) for item in config._parse(line, composer)]
        for one, choice in zip(found, itertools.product(*swept), strict=True):
            expected = compose(config_name="config", overrides=list(choice))
            expected = OmegaConf.to_container(expected, resolve=True)
            config._fix_assigned(expected, list(choice))
            assert one == expected


@pytest.mark.parametrize("file", sorted(CONF.rglob("*.yaml")), ids=lambda file: file.stem)
def test_a_bundled_file_is_read_as_hydra_reads_it(file):
    name = str(file.relative_to(CONF))

    found = BundledConfigSource("test", f"bundled://{CONF}").load_config(name)
    expected = FileConfigSource("test", f"file://{CONF}").load_config(name)

    assert (found.config, found.header) == (expected.config, expected.header)


def test_a_value_of_one_configuration_does_not_reach_the_next(working_directory):
    first, second = compose_jobs(["model=elastic_net", "tuning.trials=3,5"])

    first["model"]["space"]["C"]["high"] = 0

    assert (first["tuning"]["trials"], second["tuning"]["trials"]) == (3, 5)
    assert second["model"]["space"]["C"]["high"] != 0


def test_a_file_is_read_once_in_a_block_and_anew_in_the_next(working_directory):
    file = working_directory / "conf" / "tuning" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("name: random\ntrials: 3\n")

    def trials():
        return compose_jobs(["tuning=mine"])[0]["tuning"]["trials"]

    with composing():
        first = trials()
        file.write_text("name: random\ntrials: 5\n")
        same = trials()

    assert (first, same, trials()) == (3, 3, 5)
