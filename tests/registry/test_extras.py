"""Optional packages are known by what cytobench's own metadata say of them."""

from importlib.metadata import version

import pytest

from cytobench.registry import extras
from cytobench.registry.extras import absent, distributions, groups, install_hint, installed


def test_the_groups_are_those_of_the_metadata_without_tools_and_bundles():
    found = groups()

    assert {"torch", "lightgbm", "xgboost", "catboost", "interpret", "tabm"} <= set(found)
    assert not {"dev", "docs", "zoo"} & set(found)


def test_a_group_may_install_a_distribution_of_another_name():
    assert distributions("xgboost") == ("xgboost-cpu",)
    assert distributions("tabm") == ("tabm", "torch")


def test_a_package_that_is_imported_with_underscores_is_in_a_group_with_hyphens():
    hint = install_hint("rtdl_revisiting_models")

    assert hint == "pip install 'cytobench[rtdl-revisiting-models]'"
    assert distributions("rtdl_revisiting_models") == ("rtdl-revisiting-models", "torch")


def test_somebody_elses_package_is_installed_by_its_own_name():
    assert install_hint("torch") == "pip install 'cytobench[torch]'"
    assert install_hint("their_package") == "pip install their_package"
    assert distributions("their_package") == ("their_package",)


def test_what_is_installed_is_told_with_its_version():
    pytest.importorskip("tabm")

    assert installed("tabm") == {name: version(name) for name in ("tabm", "torch")}
    assert installed("no_such_package_anywhere") == {}


def test_another_build_of_a_package_is_found_by_what_it_is_imported_as(monkeypatch):
    monkeypatch.setattr(extras, "distributions", lambda extra: (f"{extra}-of-another-build",))

    assert installed("numpy") == {"numpy": version("numpy")}


def test_absent_is_what_cannot_be_imported():
    assert absent("no_such_package_anywhere")
    assert not absent("numpy")
