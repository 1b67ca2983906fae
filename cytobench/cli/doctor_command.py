"""``cytobench doctor``: checks the installation."""

from __future__ import annotations

import argparse

from cytobench import console

PACKAGES = (
    "torch",
    "scikit-learn",
    "hydra-core",
    "mlflow",
    "optuna",
    "numpy",
    "pandas",
    "pyarrow",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""
    del parser


def execute(options: argparse.Namespace) -> int:
    """Run the command; 1 where something is missing or broken."""
    del options
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from cytobench.plugins import bundled, folders
    from cytobench.registry.discover import discover
    from cytobench.run.cells import data_folders

    console.say(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    fine = True
    for package in PACKAGES:
        try:
            console.say(f"  {package} {version(package)}")
        except PackageNotFoundError:
            optional = package == "torch"
            fine &= optional
            hint = (
                "optional: pip install 'cytobench[torch]'" if optional else "pip install cytobench"
            )
            console.say(f"  {package} is missing ({hint})")
    for what, path in (("configuration", bundled("conf")), ("plugins", bundled("plugins"))):
        present = path.is_dir()
        fine &= present
        console.say(f"{what}: {path}{'' if present else ' IS MISSING; reinstall cytobench'}")
    console.say("plugin folders: " + ", ".join(map(str, folders())))
    found = [folder for folder in data_folders(None) if folder.is_dir()]
    console.say("data folders: " + (", ".join(map(str, found)) or "none; set CYTOBENCH_DATA"))
    for plugin in [*discover("model").values(), *discover("dataset").values()]:
        if plugin.problem:
            fine = False
            console.fail(f"broken {plugin.kind} {plugin.name}: {plugin.problem} ({plugin.origin})")
    console.say("all is well" if fine else "something is missing; see above")
    return 0 if fine else 1
