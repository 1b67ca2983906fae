"""The installed Chromium that photographs the pictures of the documents, and what it remembers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DESK = {"width": 1280, "height": 900}
SETTLED = {
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.workflowType_v1": '"machine_learning"',
}
"""What somebody has set who has used MLflow before: its assistant closed, no GenAI menu."""


def used_before(origin: str) -> dict[str, Any]:
    """The state of a browser in which the MLflow at an address has been used before."""
    items = [{"name": name, "value": value} for name, value in SETTLED.items()]
    return {"cookies": [], "origins": [{"origin": origin, "localStorage": items}]}


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; it ends with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()
