"""What is installed: every requirement has a minimum and a reason, and the locks answer it."""

import importlib.util
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
TEXT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
LINE = re.compile(
    r'^(?:\s+|[\w-]+ = \[)"(?P<requirement>[^"\s]+)"[\],]*\s*(?:#\s*(?P<reason>.+))?$'
)
LOCKED_EXTRAS = {
    "requirements.lock": (),
    "requirements-dev.lock": ("dev", "tabm", "rtdl-revisiting-models"),
}
INSTALLED_BY_MAKE = {"torch"}


def script(name):
    """A script of .ci as a module."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements(*extras):
    """The requirements of the project, with those of some extras, extras of ours resolved."""
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        for line in EXTRAS[extra]:
            ours = Requirement(line)
            lines += requirements_of(ours) if ours.name == "cytobench" else [line]
    return [Requirement(line) for line in lines]


def requirements_of(ours):
    return [str(item) for extra in sorted(ours.extras) for item in requirements(extra)]


def locked(name):
    """Name -> the entries of a lock file, of which the markers of one are true on any machine."""
    text = (REPOSITORY / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("#"):
            entry = Requirement(line.partition(" --hash")[0].strip())
            found.setdefault(canonicalize_name(entry.name), []).append((entry, line))
    return found


def here(entries):
    """The version of the entry that is meant for this Python; None where there is none."""
    for entry, _ in entries:
        if entry.marker is None or entry.marker.evaluate():
            (pin,) = entry.specifier
            return pin.version
    return None


def declared():
    """Every line of pyproject.toml that holds a requirement."""
    section = TEXT[TEXT.index("\ndependencies = [") : TEXT.index("[project.entry-points")]
    return [match for line in section.splitlines() if (match := LINE.match(line))]


def test_every_requirement_is_found_by_the_tests_below():
    known = {*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)}

    assert {match["requirement"] for match in declared()} == known


@pytest.mark.parametrize("line", declared(), ids=lambda match: match["requirement"])
def test_every_requirement_has_a_minimum_and_a_reason(line):
    requirement = Requirement(line["requirement"])
    if requirement.name == "cytobench":
        return

    assert {pin.operator for pin in requirement.specifier} & {">=", "=="}
    assert line["reason"], f"say beside {requirement} what it is for, and why not an older one"


@pytest.mark.parametrize("name", LOCKED_EXTRAS)
def test_a_lock_answers_every_requirement(name):
    lock = locked(name)

    for wanted in requirements(*LOCKED_EXTRAS[name]):
        if wanted.name in INSTALLED_BY_MAKE or (wanted.marker and not wanted.marker.evaluate()):
            continue
        version = here(lock.get(canonicalize_name(wanted.name), []))
        assert version is not None, f"make lock: {name} lacks {wanted}"
        assert wanted.specifier.contains(version), f"make lock: {name} has {version} for {wanted}"


@pytest.mark.parametrize("name", LOCKED_EXTRAS)
def test_a_lock_is_complete_without_resolving(name):
    """Its entries are installed with --no-deps: what each of them needs has to be among them."""
    lock = locked(name)
    looked_at = 0
    for package, entries in lock.items():
        try:
            found = distribution(package)
        except PackageNotFoundError:
            continue
        if found.version != here(entries):
            continue
        looked_at += 1
        for line in found.requires or []:
            needed = Requirement(line)
            if needed.name in INSTALLED_BY_MAKE:
                continue
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                version = here(lock.get(canonicalize_name(needed.name), []))
                assert version is not None, f"{package} needs {needed}"
                assert needed.specifier.contains(version, prereleases=True)
    assert looked_at, "nothing of the lock is installed here in its version"


@pytest.mark.parametrize("name", LOCKED_EXTRAS)
def test_every_entry_of_a_lock_is_pinned_by_hashes(name):
    for entries in locked(name).values():
        for entry, line in entries:
            (pin,) = entry.specifier
            assert pin.operator == "=="
            assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line)


def test_the_locks_agree():
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")

    assert {name: [entry.specifier for entry, _ in run[name]] for name in run} == {
        name: [entry.specifier for entry, _ in dev[name]] for name in run
    }


def test_the_oldest_versions_are_what_the_requirements_allow_at_least():
    oldest = script("oldest")
    lines = oldest.constraints(PROJECT, ["dask"])
    pins = {Requirement(line).name: str(Requirement(line).specifier)[2:] for line in lines}

    wanted = {item.name: item for item in requirements("dask")}
    assert pins.keys() == wanted.keys()
    assert all(wanted[name].specifier.contains(pins[name]) for name in pins)
    assert oldest.constraints({"name": "x", "dependencies": ["a>=1.2,<3", "b[c]==4"]}, []) == [
        "a==1.2", "b==4",
    ]  # fmt: skip


VULNERABLE = [
    {"name": "jinja2", "version": "2", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"]}]}
]


@pytest.mark.parametrize(
    ("control", "found", "answered", "code", "said"),
    [
        ([], [], {}, 0, "SKIPPED"),
        (VULNERABLE, [], {}, 0, "0 open"),
        (VULNERABLE, VULNERABLE, {}, 1, "jinja2 2: PYSEC-1: fixed in no release"),
        (VULNERABLE, VULNERABLE, {"CVE-1": "templates are ours"}, 0, "templates are ours"),
    ],
)
def test_the_audit_tells_silence_from_innocence(
    monkeypatch, capsys, control, found, answered, code, said
):
    audit = script("audit")
    answers = iter([(control, ""), (found, "")])
    monkeypatch.setattr(audit, "look_up", lambda *words: next(answers))
    monkeypatch.setattr(audit, "ANSWERED", answered)

    assert audit.main() == code
    assert said in capsys.readouterr().out
