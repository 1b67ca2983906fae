"""Prints every requirement of pyproject.toml at its minimum, as constraints for pip.

`python .ci/oldest.py > oldest.txt`, then `pip install -c oldest.txt -e ".[EXTRAS]"` with those that
`python .ci/oldest.py --extras` names.
"""

import re
import sys
import tomllib
from pathlib import Path

MINIMUM = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:>=|==)\s*(?P<version>[0-9.]+)")
TOOLS = ("docs", "fuzz", "dev")
"""Extras of who works on cytobench: nothing that runs depends on their versions."""
TORCH = re.compile(r"torch\b|cytobench\[(.+,)?torch\b")


def tested(project):
    """Extras whose minimums are installed: all but tools, and what is written in torch.

    Old builds of torch for processors are on no package index that everybody reaches.
    """
    return [
        name
        for name, lines in project["optional-dependencies"].items()
        if name not in TOOLS and not any(map(TORCH.match, lines))
    ]


def constraints(project, extras):
    """``name==minimum`` of the run-time requirements and of those of some extras, sorted."""
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = (MINIMUM.match(line) for line in lines if not line.startswith(project["name"] + "["))
    return sorted({f"{match['name']}=={match['version']}" for match in found})


def read():
    """The project's own table of pyproject.toml."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


if __name__ == "__main__":
    project = read()
    if sys.argv[1:] == ["--extras"]:
        print(",".join(tested(project)))
    else:
        print("\n".join(constraints(project, tested(project))))
