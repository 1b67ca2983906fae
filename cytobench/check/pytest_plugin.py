"""The checks under pytest: one test for each check of each plugin that ``cytobench_plugins`` names.

It is loaded in every pytest run where cytobench is installed, and imports nothing until a plugin
is named.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cytobench.check.runner import Result

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


# First, so that -k, -m and --lf choose among these too.
@pytest.hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def pytest_collection_modifyitems(session: Any, config: Any, items: list[Any]) -> None:
    """Add the checks of the plugins that are named."""
    named = _named(config)
    if not named:
        return
    from cytobench.check.reach import locate, reachable
    from cytobench.check.runner import EXCUSE_CODES, chosen
    from cytobench.core.errors import UsageError

    for name in named:
        try:
            with reachable(name) as plugin:
                kind = locate(plugin.name, plugin.kind).kind
        except UsageError as error:
            raise pytest.UsageError(f"{OPTION}: {name}: {error}") from error
        run = _Run(session, name, fast=config.getoption("--cytobench-fast"))
        codes = [item.code for item in chosen(kind, ())]
        items += [
            CheckItem.from_parent(session, name=f"check[{plugin.name}-{code}]", run=run, code=code)
            for code in sorted([*codes, *EXCUSE_CODES])
        ]


def _named(config: Any) -> list[str]:
    """Plugins of the command line, and those of the ini file unless single tests are asked for."""
    single = any("::" in word or Path(word).is_file() for word in config.args)
    ini = [] if single else [_from_root(config, name) for name in config.getini(OPTION)]
    return list(dict.fromkeys([*ini, *config.getoption("--cytobench-plugin")]))


def _from_root(config: Any, name: str) -> str:
    """A path in the ini file is meant from there, wherever pytest was started."""
    path = Path(config.rootpath) / name
    return str(path) if path.suffix in (".py", ".yaml") else name


class _Run:
    """The checks of one plugin that are among a session's tests, made with the first of them."""

    def __init__(self, session: Any, name: str, *, fast: bool) -> None:
        self.session = session
        self.name = name
        self.fast = fast
        self.results: Mapping[str, Result] | None = None

    def result(self, code: str) -> Result | None:
        """What came of one check; None where there was nothing to say on excuses."""
        if self.results is None:
            from cytobench.check.runner import run_checks

            wanted = [
                item.code
                for item in self.session.items
                if isinstance(item, CheckItem) and item.run is self
            ]
            report = run_checks(self.name, fast=self.fast, only=wanted)
            self.results = {result.code: result for result in report.results}
        return self.results.get(code)


class CheckItem(pytest.Item):  # type: ignore[misc]
    """One check of one plugin."""

    def __init__(self, *, run: _Run, code: str, **others: Any) -> None:
        super().__init__(**others)
        self.run = run
        self.code = code

    def runtest(self) -> None:
        """Pass, fail, skip or fail as expected, as the check did."""
        result = self.run.result(self.code)
        if result is None:
            return
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
        if isinstance(excinfo.value, CheckFailed | CheckWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """What pytest calls it."""
        return self.path, None, self.name
