"""``cytobench ui``: browse results in the MLflow UI."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from cytobench import console

HELP = """
Only this machine can open it, and it needs no internet. MLflow opens with its assistant, which is
not needed here: close it. A run shows the GenAI menu until "Model training" is chosen there once.
Stop with Ctrl-C."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="such as tracking.uri=sqlite:///other.db"
    )
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1 (default: 5000)")


def execute(options: argparse.Namespace) -> int:
    """Run the command until Ctrl-C."""
    from cytobench.config import compose_jobs
    from cytobench.core.secrets import without_secrets
    from cytobench.tracking import server
    from cytobench.tracking.client import is_server

    config = compose_jobs(options.overrides)[0]["tracking"]
    uri = server.browsable(config)
    if is_server(uri):
        _links(without_secrets(uri.rstrip("/")), server.experiments(uri))
        return 0
    server.check_port(options.port)
    found = server.experiments(uri)
    console.say("starting the MLflow UI ...", style="dim")
    try:
        arguments = server.command(config["artifacts"], options.port)
        with server.running(arguments, uri, options.port) as process:
            _links(f"http://{server.HOST}:{options.port}", found)
            console.say(HELP, style="dim")
            return process.wait()
    except KeyboardInterrupt:
        console.say("\nstopped", style="dim")
    return 0


def _links(base: str, experiments: Mapping[str, str]) -> None:
    from cytobench.tracking.view import link

    width = max(map(len, experiments.values()), default=0)
    for experiment, name in sorted(experiments.items(), key=lambda item: item[1]):
        console.say(f"  {name:<{width}}  {link(base, experiment, name)}")
    if not experiments:
        console.say(f"  {base}  (nothing of cytobench is in it yet; fill it: cytobench track)")
