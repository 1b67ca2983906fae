"""MLflow in a real browser: an entry's runs, one of them with its files, and two side by side."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.browser import DESK
from support.servers import REPOSITORY, free_port

from cytobench.leaderboard.build import boards
from cytobench.run.store import RunStore
from cytobench.tracking.record import SHORT
from cytobench.tracking.shown import scores_of

pytestmark = pytest.mark.slow

RUN = [
    "run", "dataset=sim_inflamed_mdd", "dataset.n=80", "task=response", "model=elastic_net,ridge",
    "floors=[clinical_only]", "protocol.folds=3", "protocol.repeats=1", "tuning.trials=2",
    "engine=serial",
]  # fmt: skip
MODEL, OTHER = "elastic_net", "ridge"
SAME_LINE = 12
"""Pixels between the middles of what stands on one line of the comparison."""


@dataclass(frozen=True)
class Shown:
    """MLflow's UI as `cytobench ui` has started it, and the store that it should show."""

    entry: str
    link: str
    store: RunStore

    @property
    def origin(self) -> str:
        return self.link.partition("/#")[0]

    def auc(self) -> dict[str, float]:
        """Row of the leaderboard -> AUC, the best first."""
        (board,) = boards(self.store)
        found = {row.label: row.estimate("auc").value for row in board.rows}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def cell(self, model: str) -> object:
        keys = self.store.entries()["adhoc"][self.entry.partition("/")[2]]
        return next(
            cell for cell in map(self.store.read_cell, keys) if cell.about["model"]["name"] == model
        )


def used_before(origin):
    """What the pictures of the documents are taken with: no assistant, no GenAI menu."""
    spec = importlib.util.spec_from_file_location("pictured", REPOSITORY / "docs" / "browser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.used_before(origin)


@pytest.fixture(scope="module")
def shown(browser, tmp_path_factory) -> Iterator[Shown]:
    """A small run, mirrored and opened; skipped with `browser` before anything is computed."""
    folder = tmp_path_factory.mktemp("browsed")
    command = [sys.executable, "-m", "cytobench"]
    environment = {**os.environ, "COLUMNS": "300", "PYTHONUNBUFFERED": "1"}
    subprocess.run(
        [*command, *RUN], cwd=folder, env=environment, check=True, capture_output=True, timeout=300
    )
    with subprocess.Popen(
        [*command, "ui", "--port", str(free_port())],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as ui:  # fmt: skip
        try:
            said = []
            for line in ui.stdout:  # it ends by itself where MLflow does not answer: E604
                said.append(line)
                if found := re.search(r"(adhoc/\S+) +(http://\S+)", line):
                    break
            assert found, "".join(said)
            yield Shown(found[1], found[2], RunStore(folder / "runs"))
        finally:
            ui.send_signal(signal.SIGTERM)
            ui.communicate(timeout=60)


@pytest.fixture
def visit(browser, shown):
    """``visit(address)`` opens a page; nothing may be asked of anywhere but this machine."""
    asked, contexts = [], []

    def open_page(address, **options):
        state = {"storage_state": used_before(shown.origin), **options}
        contexts.append(browser.new_context(viewport=DESK, reduced_motion="reduce", **state))
        tab = contexts[-1].new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith((shown.origin, "data:", "blob:"))] == []


def run_table(tab):
    """The lines of the table of runs as somebody reads them: column -> text, from the top."""
    tab.get_by_role("link", name=MODEL, exact=True).wait_for()
    columns = {
        header.get_attribute("col-id"): header.inner_text().strip()
        for header in tab.locator("[role=columnheader][col-id]").all()
    }
    lines = {}
    for cell in tab.locator("[role=gridcell][col-id]").all():
        line = cell.locator("xpath=ancestor::*[@row-index]").get_attribute("row-index")
        column = columns[cell.get_attribute("col-id")]
        text = cell.inner_text().strip()
        # Before a name stands its colour, which only a screen reader says.
        lines.setdefault(int(line), {})[column] = re.sub(r"^#[0-9a-f]{6}\s+", "", text)
    return [lines[line] for line in sorted(lines)]


def assert_is_the_leaderboard(tab, shown):
    expected = [(name, round(value, 4)) for name, value in shown.auc().items()]
    tab.get_by_role("columnheader", name="AUC", exact=True).first.wait_for()
    first = tab.locator('[row-index="0"]')
    first.get_by_role("link", name=expected[0][0], exact=True).wait_for()
    lines = run_table(tab)
    assert [(line["Run Name"], float(line["AUC"])) for line in lines] == expected
    assert all({"AUC added", "AUC lower", "AUC upper"} <= set(line) for line in lines)


def open_run(visit, shown, name):
    tab = visit(shown.link)
    tab.get_by_role("link", name=name, exact=True).click()
    tab.get_by_role("heading", name=name, exact=True).wait_for()
    return tab


def open_artifact(visit, shown, *path):
    """The page of a run on which a file has been clicked, one folder after the other."""
    tab = open_run(visit, shown, MODEL)
    tab.get_by_role("tab", name="Artifacts").click()
    for name in path:
        tab.get_by_role("listitem").get_by_text(name, exact=True).click()
    return tab


def test_the_link_that_is_printed_shows_the_best_run_first(visit, shown):
    tab = visit(shown.link)

    assert_is_the_leaderboard(tab, shown)
    role = {line["Run Name"]: line["role"] for line in run_table(tab)}
    assert role == {MODEL: "model", OTHER: "model", "clinical_only": "floor"}


def test_the_link_shows_it_also_to_who_has_never_used_mlflow(visit, shown):
    assert_is_the_leaderboard(visit(shown.link, storage_state=None), shown)


def test_the_entry_is_found_by_clicking_as_its_description_says(visit, shown):
    tab = visit(f"{shown.origin}/#/experiments")
    tab.get_by_role("link", name=shown.entry, exact=True).click()
    assert {line["Run Name"] for line in run_table(tab)} == set(shown.auc())

    tab.get_by_role("button", name="Views").click()
    tab.get_by_role("menuitem", name="leaderboard").click()

    assert_is_the_leaderboard(tab, shown)


def test_who_has_never_used_mlflow_is_told_where_the_runs_are(visit, shown):
    tab = visit(f"{shown.origin}/#/experiments", storage_state=None)
    tab.get_by_role("link", name=shown.entry, exact=True).click()
    tab.get_by_text("Each run is one model: choose Model training, then").wait_for()

    tab.get_by_role("button", name="Got it").click()  # what MLflow says about traces
    tab.get_by_role("button", name="Model training").click()

    assert {line["Run Name"] for line in run_table(tab)} == set(shown.auc())


def test_a_run_shows_metrics_dataset_and_tags(visit, shown):
    about = shown.cell(MODEL).about
    fingerprint = about["dataset"]["fingerprint"][:SHORT]

    tab = open_run(visit, shown, MODEL)

    auc = f"{round(shown.auc()[MODEL], 4)}"
    tab.get_by_role("row", name=f"AUC {auc}", exact=True).wait_for()
    tab.get_by_text(about["command"], exact=True).first.wait_for()
    for name, value in {"fingerprint": fingerprint, "role": "model", "n": str(about["n"])}.items():
        tag = tab.get_by_role("status", name=name, exact=True)
        assert re.split(r"\s*:\s*", tag.inner_text().strip()) == [name, value]
    tab.get_by_role("button", name=f"sim_inflamed_mdd ({fingerprint})").click()
    dataset = tab.get_by_role("dialog")
    dataset.get_by_text(fingerprint, exact=True).wait_for()
    assert f"with known outcome: {about['n']}" in dataset.inner_text()


def test_the_report_can_be_read_among_the_artifacts(visit, shown):
    tab = open_artifact(visit, shown, "report.html")

    report = tab.frame_locator("iframe")
    report.get_by_role("heading", name=f"{MODEL}: response on sim_inflamed_mdd").wait_for()
    assert report.get_by_text(f"{shown.auc()[MODEL]:.3f}", exact=True).first.is_visible()
    assert report.get_by_role("heading", name="Provenance").is_visible()


@pytest.mark.parametrize("page", ["report.html", "cohort.html"])
def test_links_within_a_page_lead_there_though_its_frame_follows_none(visit, shown, page):
    tab = open_artifact(visit, shown, page)
    frame = tab.frame_locator("iframe")
    links = frame.get_by_role("navigation").get_by_role("link")
    links.first.wait_for()
    targets = [link.get_attribute("href") for link in links.all()]
    assert "#figures" in targets

    for link, target in zip(links.all(), targets, strict=True):
        frame.locator("html").evaluate("page => page.scrollTo(0, 0)")
        assert not is_reached(frame.locator(target))
        link.focus()
        link.press("Enter")  # as a click is, and the keyboard goes on from there
        assert is_reached(frame.locator(target))


def is_reached(target):
    """Whether a part of a page stands at the top, or is all that is left, and has the focus."""
    return target.evaluate(
        """target => {
            const page = document.documentElement;
            const end = page.scrollHeight - page.clientHeight - page.scrollTop < 1;
            const top = target.getBoundingClientRect().top;
            return document.activeElement === target && (Math.abs(top) < 1 || (end && top > 0));
        }"""
    )


def test_the_page_of_the_cohort_can_be_read_too(visit, shown):
    tab = open_artifact(visit, shown, "cohort.html")

    cohort = tab.frame_locator("iframe")
    cohort.get_by_role("heading", name="sim_inflamed_mdd").first.wait_for()


def test_a_figure_is_drawn(visit, shown):
    tab = open_artifact(visit, shown, "figures", "roc.svg")

    figure = tab.locator(".mlflow-artifact-right img:visible").first
    figure.wait_for()
    assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert figure.bounding_box()["width"] > 100


def test_the_folds_are_a_table(visit, shown):
    tab = open_artifact(visit, shown, "folds.csv")

    tab.get_by_text("Previewing the first 3 rows").wait_for()
    headers = [text.strip() for text in tab.get_by_role("columnheader").all_inner_texts()]
    cells = [text.strip() for text in tab.get_by_role("cell").all_inner_texts()]
    lines = [cells[at : at + len(headers)] for at in range(0, len(cells), len(headers))]
    by_fold = scores_of(shown.cell(MODEL)).by_fold["auc"]
    assert [line[headers.index("fold")] for line in lines] == ["0", "1", "2"]
    assert [float(line[headers.index("AUC")]) for line in lines] == pytest.approx(by_fold, abs=1e-4)


def test_two_runs_are_compared_side_by_side(visit, shown):
    tab = visit(shown.link)
    for name in (MODEL, OTHER):
        line = tab.get_by_role("row").filter(has=tab.get_by_role("link", name=name, exact=True))
        line.get_by_role("checkbox").first.check()
    tab.get_by_role("button", name="Compare", exact=True).click()

    tab.get_by_role("heading", name="Comparing 2 Runs from 1 Experiment").wait_for()
    names = tab.get_by_role("row", name="Run Name:").get_by_role("cell").all_inner_texts()
    assert {name.strip() for name in names} == {MODEL, OTHER}
    auc = tab.get_by_role("link", name="AUC", exact=True)
    auc.wait_for()
    assert [values_beside(tab, auc, shown.auc()[name.strip()]) for name in names] == [1, 1]
    tab.get_by_role("switch", name="Parameters - Show diff only").click()
    tab.get_by_role("rowheader", name="folds", exact=True).wait_for(state="detached")
    assert tab.get_by_role("rowheader", name="chosen.C", exact=True).is_visible()


def values_beside(tab, label, value):
    """How often a number stands on the line of a label."""

    def middle(box):
        return box["y"] + box["height"] / 2

    line = middle(label.bounding_box())
    found = tab.get_by_text(f"{value:.3f}", exact=True).all()
    return sum(abs(middle(item.bounding_box()) - line) < SAME_LINE for item in found)
