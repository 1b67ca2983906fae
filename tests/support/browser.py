"""An installed Chromium; `CYTOBENCH_CHROMIUM` names one in another place."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[object]:
    """A browser; the test is skipped where there is none."""
    engine = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = [os.environ.get("CYTOBENCH_CHROMIUM"), *map(shutil.which, NAMES)]
    path = next((name for name in found if name), None)
    if path is None:
        pytest.skip(
            "no Chromium is installed: apt-get install chromium, or CYTOBENCH_CHROMIUM=PATH"
        )
    with engine.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visits:
    """Pages that are opened from disk; what goes wrong in them is noted.

    Attributes
    ----------
    problems : list of str
        Errors, warnings in the console, and requests to anywhere but the disk.
    """

    def __init__(self, browser: object, root: Path) -> None:
        self.browser = browser
        self.root = root
        self.problems: list[str] = []
        self.contexts: list[object] = []

    def __call__(self, address: str, **options: object) -> object:
        context = self.browser.new_context(**{"viewport": DESK, **options})
        self.contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.on("console", self._said)
        tab.on("request", self._asked)
        path = re.match(r"[^#?]*", address)[0]
        tab.goto((self.root / path).as_uri() + address[len(path) :])
        return tab

    def _said(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _asked(self, request: object) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.problems.append(request.url)

    def close(self) -> None:
        """Close what was opened, and fail where something was noted."""
        for context in self.contexts:
            context.close()
        assert not self.problems, self.problems
