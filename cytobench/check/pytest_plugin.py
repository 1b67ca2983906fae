"""The checks under pytest: one test for each check of each plugin that ``cytobench_plugins`` names.

It is loaded in every pytest run where cytobench is installed, and imports nothing until a plugin
is named.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cytobench.check.runner import Report, Result

OPTION = "cytobench_plugins"


class CheckFailed(AssertionError):
    """A check that a plugin did not pass."""


class CheckWarning(UserWarning):
    """A check that is not passed and fails nothing."""


def pytest_addoption(parser: Any) -> None:
    """Add the ini option and its counterpart on the command line."""
    parser.addini(OPTION, "plugins to check: names, or paths of their files", type="args")
    group = parser.getgroup("cytobench")
    group.addoption(
        "--cytobench-plugin", action="append", default=[], metavar="NAME|PATH",
        help="check this plugin too",
    )  # fmt: skip
    group.addoption(
        "--cytobench-fast", action="store_true", help="leave out the checks that take longest"
    )


def pytest_collection_modifyitems(session: Any, config: Any, items: list[Any]) -> None:
    """Add the checks of the plugins that are named."""
    named = [*config.getini(OPTION), *config.getoption("--cytobench-plugin")]
    if not named:
        return
    from cytobench.check.runner import chosen, locate, reachable

    for name in dict.fromkeys(named):
        with reachable(name) as plugin:
            kind = locate(plugin).kind
        run = _Run(name, fast=config.getoption("--cytobench-fast"))
        items += [
            CheckItem.from_parent(
                session, name=f"check[{plugin}-{item.code}]", run=run, code=item.code
            )
            for item in chosen(kind, ())
        ]


class _Run:
    """All checks of one plugin, made when the first of its tests is run."""

    def __init__(self, name: str, *, fast: bool) -> None:
        self.name = name
        self.fast = fast
        self.report: Report | None = None

    def result(self, code: str) -> Result:
        """What came of one check."""
        if self.report is None:
            from cytobench.check.runner import run_checks

            self.report = run_checks(self.name, fast=self.fast)
        return next(result for result in self.report.results if result.code == code)


class CheckItem(pytest.Item):  # type: ignore[misc]
    """One check of one plugin."""

    def __init__(self, *, run: _Run, code: str, **others: Any) -> None:
        super().__init__(**others)
        self.run = run
        self.code = code

    def runtest(self) -> None:
        """Pass, fail, skip or fail as expected, as the check did."""
        result = self.run.result(self.code)
        text = f"{result.code} {result.title}: {result.message}"
        if result.status == "skipped":
            pytest.skip(text)
        if result.status == "excused":
            pytest.xfail(text)
        if result.status == "warned":
            warnings.warn(text, CheckWarning, stacklevel=2)
        if result.status == "failed":
            raise CheckFailed(text)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The message alone: a traceback of this file helps nobody."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """What pytest calls it."""
        return self.path, None, self.name
