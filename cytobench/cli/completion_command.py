"""``cytobench completion bash|zsh|fish``: the script by which a shell completes our words."""

from __future__ import annotations

import argparse
from importlib.resources import files

from cytobench import console

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS, help="prints the shell's script")
    parser.add_argument(
        "--line", metavar="TEXT", help="for the scripts: print how this line may go on"
    )
    parser.epilog = (
        "to complete in every new shell:\n"
        "  bash  echo 'eval \"$(cytobench completion bash)\"' >> ~/.bashrc\n"
        "  zsh   echo 'eval \"$(cytobench completion zsh)\"' >> ~/.zshrc\n"
        "  fish  echo 'cytobench completion fish | source' >> ~/.config/fish/config.fish"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.line is None:
        script = files("cytobench.cli") / "completions" / f"cytobench.{options.shell}"
        console.say(script.read_text(encoding="utf-8").rstrip())
        return 0
    from cytobench.cli.completing import candidates

    for word in candidates(options.line):
        console.say(word)
    return 0
