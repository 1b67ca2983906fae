"""Optional packages are known by what cytobench's own metadata say of them."""

from cytobench.registry.extras import absent, distributions, groups, install_hint


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


def test_absent_is_what_cannot_be_imported():
    assert absent("no_such_package_anywhere")
    assert not absent("numpy")
