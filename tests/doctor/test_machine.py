"""What the machine allows, and folders that libraries write to."""

import io
import locale
import multiprocessing
import resource
import shutil
import sys
import tempfile
from collections import namedtuple

import pytest

Usage = namedtuple("Usage", "total used free")


def full(megabytes):
    return lambda path: Usage(10**12, 0, megabytes * 1024**2)


def test_output_that_cannot_say_tnf_alpha_breaks_commands(situation, finding, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))

    assert finding("D201", situation()).sentence == "standard output is latin-1"


def test_a_locale_that_is_not_utf8_is_named(situation, finding, monkeypatch):
    monkeypatch.setattr(locale, "getpreferredencoding", lambda do_setlocale=True: "cp1252")

    assert finding("D202", situation()).sentence == "files are cp1252"


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_threads_times_workers_beyond_the_cores_are_named(situation, finding, name):
    engine = {"name": "joblib", "workers": 4}

    found = finding("D203", situation(environment={name: "64"}, engine=engine))

    assert found.where == name
    assert "64 threads for each of 4 workers" in found.sentence


def test_one_thread_for_each_worker_is_fine(situation, findings):
    variables = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": ""}

    assert findings("D203", situation(environment=variables)) == []


def test_a_machine_without_semaphores_runs_serially_only(situation, finding, monkeypatch):
    class Nothing:
        def Semaphore(self, value):  # noqa: N802 - multiprocessing's name
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: Nothing())

    assert "engine=serial" in finding("D204", situation()).hint


def test_little_shared_memory_is_named(situation, finding, monkeypatch, tmp_path):
    monkeypatch.setattr("cytobench.doctor.machine.SHARED", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", full(3))

    assert finding("D205", situation()).sentence == "3 MiB are free"


def test_few_open_files_are_named(situation, finding):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        found = finding("D206", situation())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert found.sentence == "256 files may be open"


@pytest.mark.parametrize(
    ("said", "expected"), [("error", 1), ("ignore,error::UserWarning", 1), ("ignore", 0), ("", 0)]
)
def test_warnings_as_errors_break_runs(situation, findings, said, expected):
    assert len(findings("D207", situation(environment={"PYTHONWARNINGS": said}))) == expected


def test_no_folder_for_temporary_files_breaks_runs(situation, finding, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/gone")

    assert finding("D211", situation()).where == "TMPDIR"


def test_a_full_folder_for_temporary_files_breaks_runs(situation, finding, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", full(1))

    assert finding("D211", situation()).sentence == "1 MiB are free"


def test_a_home_that_cannot_be_written_is_named(situation, finding):
    # Not even root may make files in /proc.
    assert finding("D212", situation(environment={"HOME": "/proc"})).where == "/proc"


@pytest.mark.parametrize("name", ["MPLCONFIGDIR", "HOME", "XDG_CACHE_HOME"])
def test_a_cache_of_matplotlib_that_cannot_be_written_is_named(situation, finding, name):
    variables = {"MPLCONFIGDIR": "", "XDG_CACHE_HOME": "", name: "/proc/nobody"}

    assert finding("D213", situation(environment=variables)).where.startswith("/proc/nobody")
