"""``cytobench run``: overrides in, stored folds and a printed leaderboard out."""

from __future__ import annotations

import argparse

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.usage = "cytobench run [--cfg] [--debug] [OVERRIDE ...]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="key=value in Hydra's grammar; see below"
    )
    parser.add_argument("--cfg", action="store_true", help="print the composed config and stop")
    parser.epilog = (
        "overrides:\n"
        "  dataset=NAME task=response model=elastic_net,mlp    commas, range() and glob() sweep\n"
        "  protocol=leave_one_site_out protocol.folds=10       see `cytobench list protocols`\n"
        "  tuning=random tuning.trials=50 tuning=off           Optuna inside each outer fold\n"
        "  model.C=3 model.space.C.high=10                     fix a parameter, or move its range\n"
        "  preprocess.log=false seed=range(0,3)\n"
        "  engine=serial engine.workers=4 tracking=none store=PATH data=PATH\n"
        "  suite=quickstart                                    what runs without overrides\n\n"
        "The same command again computes only what is missing.\n"
        "Exit code: 0 all cells done, 1 some failed, 2 usage error, 129, 130 or 143 stopped."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.run.engine import one_thread_each

    one_thread_each()
    if options.cfg:
        return _print_config(options.overrides)
    from cytobench.cli.running import run

    return run(options.overrides)


def _print_config(overrides: list[str]) -> int:
    from cytobench.config import to_yaml
    from cytobench.core.secrets import without_secrets
    from cytobench.run.jobs import plan_jobs

    jobs = plan_jobs(overrides)
    for cell in jobs.cells:
        console.say(f"# {cell.suite}/{cell.entry}")
        console.say(without_secrets(to_yaml({**cell.config, **jobs.settings})) + "\n---")
    return 0
