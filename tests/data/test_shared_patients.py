"""Datasets that are read from the same file say whose patients they share."""

from itertools import combinations
from pathlib import Path

from cytobench.config import compose_jobs

TABLES = Path(__file__).parents[2] / "conf" / "dataset"


def test_tables_of_one_source_are_of_one_cohort():
    """Models would be ranked over them as if the second were another study."""
    names = sorted(path.stem for path in TABLES.glob("*.yaml"))
    nodes = [compose_jobs([f"dataset={name}", "model=prior"])[0]["dataset"] for name in names]

    for one, other in combinations(nodes, 2):
        files = [{item["file"] for item in node.get("files", ())} for node in (one, other)]
        cohorts = {node.get("cohort", node["name"]) for node in (one, other)}
        assert bool(files[0] & files[1]) == (len(cohorts) == 1), (one["name"], other["name"])
