"""What ``docs/team`` promises; its server is run by test_teams.py with the file's own command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
import yaml
from support.servers import REPOSITORY, TEAM, composed

SECRETS = {"POSTGRES_PASSWORD": "a1", "MLFLOW_ADMIN_PASSWORD": "b2", "MLFLOW_SECRET_KEY": "c3"}


@pytest.mark.parametrize("missing", SECRETS)
def test_nothing_starts_without_its_password(missing):
    given = {name: text for name, text in SECRETS.items() if name != missing}

    with pytest.raises(KeyError, match=f"{missing}: set it in .env"):
        composed(given)


def test_no_password_is_in_the_files():
    text = (TEAM / "compose.yaml").read_text(encoding="utf-8")
    assigned = re.findall(r"(?:PASSWORD|SECRET\w*|KEY\w*): (.*)", text)

    assert len(assigned) == 5
    assert all(value.startswith("${") for value in assigned)
    assert all(
        line.startswith("#") or line.endswith("=") or not line
        for line in (TEAM / "secrets.example").read_text(encoding="utf-8").splitlines()
    )


def test_only_this_machine_reaches_the_server_unless_somebody_says_otherwise():
    services = composed(SECRETS)

    assert services["mlflow"]["ports"] == ["127.0.0.1:5000:5000"]
    assert "ports" not in services["database"]


def test_each_service_says_whether_it_is_well_and_keeps_its_data():
    services = composed(SECRETS)
    volumes = yaml.safe_load((TEAM / "compose.yaml").read_text(encoding="utf-8"))["volumes"]

    assert all("healthcheck" in service for service in services.values())
    assert services["mlflow"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name, service in services.items():
        assert service["volumes"][0].partition(":")[0] == name
        assert name in volumes


def test_artifacts_are_served_by_the_server_from_wherever_they_are():
    at_home = composed(SECRETS)["mlflow"]["command"]
    in_bucket = composed({**SECRETS, "ARTIFACTS": "s3://bucket/a"})["mlflow"]["command"]

    assert "--artifacts-destination=/mlflow/artifacts" in at_home
    assert "--artifacts-destination=s3://bucket/a" in in_bucket


def test_the_server_has_the_mlflow_that_is_locked():
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(r"^mlflow==(\S+)", lock, flags=re.MULTILINE)

    assert f"mlflow[auth]=={locked}" in (TEAM / "Dockerfile").read_text()


def _compose() -> list[str]:
    """Docker Compose, new or old; it reads a file without an engine."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            done = subprocess.run([*words, "version"], capture_output=True, check=False)
            if done.returncode == 0:
                return words
    pytest.skip("Docker Compose is not installed")


def test_compose_itself_finds_nothing_wrong():
    done = subprocess.run(
        [*_compose(), "--file", str(TEAM / "compose.yaml"), "config"],
        env={**os.environ, **SECRETS}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)["services"]["mlflow"]
    assert read["environment"]["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql://mlflow:a1@")
