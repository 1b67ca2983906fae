"""Prints every requirement of pyproject.toml at its minimum, as constraints for pip.

`python .ci/oldest.py > oldest.txt && pip install -c oldest.txt -e .`
"""

import re
import sys
import tomllib
from pathlib import Path

MINIMUM = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:>=|==)\s*(?P<version>[0-9.]+)")


def constraints(project, extras):
    """``name==minimum`` of the run-time requirements and of those of some extras, sorted."""
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = (MINIMUM.match(line) for line in lines if not line.startswith(project["name"] + "["))
    return sorted({f"{match['name']}=={match['version']}" for match in found})


if __name__ == "__main__":
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    print("\n".join(constraints(tomllib.loads(text)["project"], sys.argv[1:])))
