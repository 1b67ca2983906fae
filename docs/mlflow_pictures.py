"""The pictures of MLflow in the documents, from the real thing.

``python docs/mlflow_pictures.py --folder FOLDER`` runs the quickstart in a folder, of which nothing
is computed again that is there, registers its champion, and photographs what `cytobench ui` shows.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from browser import chromium, used_before
from mlflow import MlflowClient

from cytobench.tracking import server

HERE = Path(__file__).parent / "images"
URI = "sqlite:///mlflow.db"
ENTRY = "quickstart/sim_inflamed_mdd-response"
NETWORK, OTHER = "mlp", "elastic_net"
WINDOW = {"width": 1360, "height": 640}
UNSEEN = """
for (const text of document.querySelectorAll('*'))
    if (!text.children.length && /^Path: /.test(text.textContent)) text.style.visibility = 'hidden';
for (const box of document.querySelectorAll('body *'))
    if (getComputedStyle(box).position === 'fixed' && box.offsetWidth < 100) box.hidden = true;
"""
"""Folders of this machine, and the button that lies over the page."""


def main() -> None:
    """Photograph them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    os.chdir(parser.parse_args().folder)
    cytobench = [sys.executable, "-m", "cytobench"]
    for words in (["run"], ["track"], ["track", "--champion", ENTRY]):
        subprocess.run([*cytobench, *words], check=True)
    with closing(socket.socket()) as probe:
        probe.bind((server.HOST, 0))
        port = probe.getsockname()[1]
    with server.running(server.command("mlartifacts", port), URI, port), chromium() as browser:
        origin = f"http://{server.HOST}:{port}"
        context = browser.new_context(
            viewport=WINDOW, reduced_motion="reduce", storage_state=used_before(origin)
        )
        photographs(Visitor(context, f"{origin}/#"))


class Visitor:
    """Somebody who looks at one page of MLflow after the other."""

    def __init__(self, context: Any, base: str) -> None:
        self.context = context
        self.base = base

    def see(self, address: str, awaited: str) -> Any:
        """A page on which a text can be seen."""
        page = self.context.new_page()
        page.goto(self.base + address)
        page.get_by_text(awaited).first.wait_for()
        return page

    def take(self, page: Any, name: str, height: int = WINDOW["height"]) -> None:
        """A picture of a page once nothing moves on it any more, which closes it."""
        page.set_viewport_size({**WINDOW, "height": height})
        page.wait_for_timeout(4000)  # it asks again and again, so that nothing says when it is done
        page.evaluate(UNSEEN)
        page.screenshot(path=HERE / f"mlflow-{name}.png")
        page.close()


def photographs(visitor: Visitor) -> None:
    """Runs, two of them compared, folds, epochs, a report, the leaderboard and the champion."""
    client = MlflowClient(URI)
    entry = client.get_experiment_by_name(ENTRY).experiment_id
    runs = {run.info.run_name: run.info.run_id for run in client.search_runs([entry])}
    network = f"/experiments/{entry}/runs/{runs[NETWORK]}"

    table = visitor.see(
        f"/experiments/{entry}/runs?workflowType=machine_learning&viewStateShareKey=leaderboard",
        NETWORK,
    )
    # The cross of the note that the view is shared; it has no name.
    table.get_by_text("Exit shared view").locator("xpath=following::button[1]").click()
    visitor.take(table, "runs")

    both = f'["{runs[NETWORK]}","{runs[OTHER]}"]'
    compared = visitor.see(f'/compare-runs?runs={both}&experiments=["{entry}"]', "Run details")
    compared.get_by_text("Visualizations", exact=True).click()
    compared.get_by_role("switch").first.click()
    visitor.take(compared, "compare", 1450)

    visitor.take(visitor.see(network, "Datasets"), "run", 800)
    other = f"/experiments/{entry}/runs/{runs[OTHER]}/model-metrics"
    visitor.take(visitor.see(other, "Add chart"), "folds", 620)
    visitor.take(visitor.see(f"{network}/model-metrics", "Add chart"), "epochs", 620)
    report = visitor.see(f"{network}/artifacts/report.html", "report.html")
    visitor.take(report, "report", 800)

    suite = client.get_experiment_by_name("quickstart").experiment_id
    (board,) = client.search_runs([suite])
    address = f"/experiments/{suite}/runs/{board.info.run_id}/artifacts/leaderboard.json"
    visitor.take(visitor.see(address, "View as table"), "leaderboard", 620)

    name = ENTRY.replace("/", ".")
    version = client.get_model_version_by_alias(name, "champion").version
    visitor.take(visitor.see(f"/models/{name}/versions/{version}", "Schema"), "champion", 720)


if __name__ == "__main__":
    main()
