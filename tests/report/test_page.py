"""The pages: valid, accessible, closed to what names could smuggle in, every number with its n."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from cytobench.core.result import FoldResult, Predictions
from cytobench.leaderboard.collect import Entry
from cytobench.leaderboard.rank import rank
from cytobench.report.illustrations import of_cell
from cytobench.report.overview import write_overviews
from cytobench.report.page import cell_page, write_reports
from cytobench.report.parts import file_names
from cytobench.report.tables import NUMBER_COLUMNS, cell_tables, entry_tables, numbers
from cytobench.report.text import slug
from cytobench.report.writing import TEMPLATES
from cytobench.run.store import StoredCell

HOSTILE = "<script>alert('x')</script> \"q\" & **b** $\\frac{1}$ ../../x"
CONTROL = "a\x00b\x1b[31m\u202ec"
VOID = {"meta", "img", "br", "hr", "link", "input"}
SITES = ("north", HOSTILE, "south")


def make_about(model, **changes):
    about = {
        "folds": 6,
        "model": {
            "name": model, "role": "model", "summary": f"About {HOSTILE}", "source": "s" * 64,
            "version": "1", "inputs": ["analytes", "clinical"], "licence": HOSTILE, "citation": "",
        },
        "dataset": {
            "name": HOSTILE, "summary": HOSTILE, "kind": "real", "population": "adults",
            "caveat": HOSTILE, "fingerprint": "f" * 64, "patients": 130, "analytes": 4,
            "licence": "CC0", "origin": "",
        },
        "task": {"name": "response", "kind": "classification", "meaning": HOSTILE},
        "n": 120, "events": 60, "outcome_mean": 0.5,
        "protocol": {"name": "repeated_stratified", "claim": "new patients"},
        "plan": "p" * 64, "permutation": 0, "test_labels": [""] * 6,
        "notes": [HOSTILE, CONTROL], "audit": [],
        "config": {
            "model": {
                "name": model, "C": 1.0,
                "space": {"C": {"type": "float", "low": 0.1, "high": 9.0, "log": True},
                          "kind": {"type": "choice", "options": ["a", None]},
                          "depth": {"type": "int"}},
            },
            "preprocess": {"name": "standard", "missing": "median", "censored": "llod_sqrt2"},
            "tuning": {"sampler": "tpe", "trials": 5, "seconds": None, "metric": "log_loss"},
            "seed": 0,
        },
        "versions": {"cytobench": "0"}, "git_commit": "", "command": "cytobench run",
    }  # fmt: skip
    for key, value in changes.items():
        known = about[key]
        about[key] = {**known, **value} if isinstance(value, dict) and known else value
    return about


def make_cell(model, predict, *, repeats=2, parts=3, n=120, outcome=None, seed=0, **changes):
    about = make_about(model, **changes)
    draw = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(float) if outcome is None else outcome(draw, n)
    site = np.array([SITES[i % 3] for i in range(n)])
    sex = np.array(["female", "male"])[np.arange(n) // 2 % 2]
    rare = np.where(np.arange(n) < 8, "few", "many")
    folds = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(n)
        if about["protocol"]["name"] == "leave_one_site_out":
            split = [np.flatnonzero(site == name) for name in SITES]
        else:
            split = np.array_split(order, parts)
        for part in split:
            predictions = Predictions(
                [f"p{i}" for i in part], y[part].tolist(), predict(draw, y[part]).tolist(),
                [""] * len(part), site[part].tolist(), [float("nan")] * len(part),
                {"sex": sex[part].tolist(), "site": site[part].tolist(),
                 "rarity": rare[part].tolist()},
            )  # fmt: skip
            threshold = None if about["task"]["kind"] == "regression" else 0.5
            folds.append(
                FoldResult(len(folds), repeat, n - len(part), predictions, {}, [], threshold,
                           float(y.mean()), {"fit": 0.1})
            )  # fmt: skip
    about["folds"] = len(folds)
    return StoredCell(f"key{len(model)}{abs(hash(model)) % 10**6:06d}" + "0" * 40, about, folds)


def good(draw, y):
    return 1 / (1 + np.exp(-(1.5 * y - 0.75 + draw.normal(size=len(y)))))


def constant(draw, y):
    return np.full(len(y), 0.5)


def make_board(*cells, null=None):
    return rank(Entry("suite", "entry", cells, {}, 0, null or {}))


def usual_board(**changes):
    """A model with a hostile name and the clinical floor; permutations for the first."""
    cells = [
        make_cell(HOSTILE, good, **changes),
        make_cell("clinical_only", good, seed=3, **changes),
    ]
    null = {cells[0].key: {k: 0.4 + 0.02 * k for k in range(9)}}
    return make_board(*cells, null=null)


class Page(HTMLParser):
    """Reads a page and keeps what the tests ask for; complains of wrong nesting."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.ids, self.headings, self.images = [], [], [], []
        self.addresses, self.tables, self.tags, self.texts = [], [], [], []
        self.text = text
        self.feed(text)
        self.close()
        assert self.stack == [], f"not closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        self.addresses += [found[key] for key in ("src", "href") if key in found]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(found)
        if tag == "table":
            self.tables.append([])
        if self.tables and "table" in self.stack:
            self.tables[-1].append((tag, found))
        if tag == "p":
            assert "p" not in self.stack
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data):
        if not {"style", "script"} & set(self.stack):
            self.texts.append(data)

    @property
    def said(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report with a hostile model, written to a folder; and its board."""
    folder = tmp_path_factory.mktemp("reports")
    board = usual_board()
    paths = [*write_reports(board, folder, {}), *write_overviews([board], folder)]
    return folder, board, paths


@pytest.fixture(scope="module")
def pages(written):
    return [Page(path.read_text(encoding="utf-8")) for path in written[2]]


def test_pages_are_well_formed_with_one_title_and_ordered_headings(pages):
    for page in pages:
        assert page.headings[0] == 1
        assert page.headings.count(1) == 1
        steps = np.diff(page.headings)
        assert (steps <= 1).all()
        assert len(page.ids) == len(set(page.ids))
        assert dict(page.tags)["html"] == {"lang": "en"}
        assert sum(tag == "main" for tag, _ in page.tags) == 1


def test_links_within_a_page_and_between_pages_lead_somewhere(written, pages):
    for path, page in zip(written[2], pages, strict=True):
        for address in page.addresses:
            if address.startswith("#"):
                assert address[1:] in page.ids
            elif not address.startswith("data:"):
                assert (path.parent / address).is_file()


def test_every_image_says_what_it_shows(pages):
    for page in pages[:-1]:  # the suite's page has a figure only with two real cohorts
        assert page.images
        for image in page.images:
            assert len(image["alt"]) > 30
        assert len({image["alt"] for image in page.images}) == len(page.images)


def test_every_table_has_a_caption_and_its_headers_a_scope(pages):
    for page in pages:
        assert page.tables
        for table in page.tables:
            assert table[0][0] == "caption"
            headers = [attributes for tag, attributes in table if tag == "th"]
            assert headers
            assert all(header["scope"] in ("row", "col") for header in headers)


def test_what_scrolls_can_be_reached_with_the_keyboard(pages):
    for page in pages:
        for tag, attributes in page.tags:
            if attributes.get("class") == "scroll":
                assert (tag, attributes["tabindex"], attributes["role"]) == ("div", "0", "region")
                assert attributes["aria-label"]


def test_no_request_leaves_a_page_and_no_script_runs_but_its_own(pages):
    script = (TEMPLATES / "links.js").read_bytes()
    hashed = base64.b64encode(hashlib.sha256(script).digest()).decode()
    for page in pages:
        for address in page.addresses:
            assert not re.match(r"\s*(https?:|//|javascript:|file:)", address, re.I)
        forbidden = {"iframe", "object", "embed", "link", "form", "base"}
        assert not forbidden & {tag for tag, _ in page.tags}
        assert not [key for _, found in page.tags for key in found if key.startswith("on")]
        policy = next(
            found["content"]
            for tag, found in page.tags
            if found.get("http-equiv") == "Content-Security-Policy"
        )
        assert policy.startswith("default-src 'none'")
        assert re.findall(r"script-src ([^;]*)", policy) == [f"'sha256-{hashed}'"]
        assert page.text.count("<script") == page.text.count(f"<script>{script.decode()}</script>")
        assert "url(" not in page.text
        assert "@import" not in page.text


def test_names_are_escaped_but_said_in_full(pages):
    for page in pages:
        assert page.text.casefold().count("<script") == 1  # its own
        assert "alert('x')" in page.said  # as text


def test_control_characters_reach_neither_page_nor_drawing(written):
    for path in written[0].rglob("*.*"):
        if path.suffix in (".html", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e]", text), path


def test_drawings_are_xml_without_scripts_links_or_formulas(written):
    drawings = list(written[0].rglob("*.svg"))
    assert len(drawings) > 10
    hostile = 0
    for path in drawings:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "image", "a", "foreignObject"}
        said = "".join(root.itertext())
        hostile += "<script>" in said
        addresses = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert all(address.startswith("#") for address in addresses)
    assert hostile > 3  # drawn as text, the dollar signs with it


def test_drawings_in_a_page_are_those_beside_it(written, pages):
    beside = {path.read_bytes() for path in written[0].rglob("*.svg")}
    for page in pages:
        for image in page.images:
            kind, _, content = image["src"].partition(",")
            assert kind == "data:image/svg+xml;base64"
            assert base64.b64decode(content) in beside


def test_a_name_cannot_leave_the_folder(written):
    folder, _, paths = written
    for path in [*paths, *folder.rglob("*")]:
        assert path.resolve().is_relative_to(folder.resolve())
    assert {path.name for path in folder.iterdir()} == {"suite"}
    assert {path.name for path in (folder / "suite").iterdir()} == {"entry", "index.html"}


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", "", "\x00", "a" * 500, "CON:x"])
def test_a_slug_is_one_short_file_name(name):
    found = slug(name)
    assert re.fullmatch(r"\w[\w-]{0,79}", found)


def test_names_that_differ_in_capitals_or_signs_get_files_of_their_own():
    board = make_board(*(make_cell(name, constant) for name in ("a b", "A-b", "index", "a_b")))
    names = [name.casefold() for name in file_names(board.rows)]
    assert len(set(names)) == len(names) == 4
    assert "index" not in names


def test_the_same_bytes_when_written_twice(written):
    board = usual_board()
    (row,) = [row for row in board.rows if row.label == HOSTILE]
    drawn = list(of_cell(row, board))
    folder = written[0] / "suite" / "entry"
    name = slug(HOSTILE)
    page = cell_page(row, board, drawn, home="index.html")  # holds every drawing as SVG
    assert (folder / f"{name}.html").read_bytes() == page.encode()
    for file, content in drawn[0].files().items():
        assert (folder / "figures" / name / file).read_bytes() == content


@pytest.mark.parametrize(
    "protocol", ["repeated_stratified", "leave_one_site_out", "holdout", "bootstrap"]
)
def test_no_estimate_without_its_n_and_method(protocol):
    folds = {"repeats": 1, "parts": 1} if protocol == "holdout" else {"repeats": 1}
    labels = {"test_labels": list(SITES)}
    board = usual_board(protocol={"name": protocol}, **labels, **folds)
    for row in board.rows:
        for name, value, interval, n, _, method in numbers(row, None):
            assert name
            assert value
            assert int(n) == 120
            assert method
            if not interval:
                # Why there is none; "95 % quantile" is itself the end of an interval.
                assert re.search("undefined|no interval|quantile", method) or value == "undefined"
        for table in cell_tables(row, board):
            assert table.caption
            assert table.notes or "Cochran" in table.caption
    for table in entry_tables(board):
        assert table.notes, table.title
        assert "n = " in table.caption or any("n" in column for column in table.columns)


def test_the_headline_stands_with_interval_n_and_method(pages, written):
    board = written[1]
    estimate = board.rows[0].estimate("auc")
    page = pages[1]
    assert f"{estimate.value:.3f}" in page.said
    assert f"{estimate.low:.3f} to {estimate.high:.3f}; n = 120" in page.said
    assert estimate.method in page.said
    for column in NUMBER_COLUMNS:
        assert column in page.said


def test_small_cells_are_suppressed_in_table_and_figure(written):
    board = written[1]
    row = board.rows[0]
    (subgroups,) = [table for table in cell_tables(row, board) if table.title == "Subgroups"]
    (few,) = [line for line in subgroups.rows if line[0] == "rarity: few"]
    assert few[1:] == ["too few", "", "", ""]
    (drawn,) = [item for item in of_cell(row, board) if item.name == "subgroups"]
    said = "".join(ElementTree.fromstring(drawn.files()["subgroups.svg"]).itertext())
    assert "too few to show" in said
    assert "n = 8" not in said


def page_of(**changes):
    board = make_board(make_cell("lone", constant, **changes))
    return Page(cell_page(board.rows[0], board, []))


def test_audit_not_run():
    assert "This run was not audited." in page_of(audit=None).said


def test_audit_without_findings():
    assert "No finding" in page_of(audit=[]).said


def test_audit_with_open_and_acknowledged_findings():
    findings = [
        {"code": "A205", "severity": "warning", "sentence": f"Plates {HOSTILE}", "where": "plate",
         "hint": "audit.acknowledge.A205='why'", "acknowledged": None},
        {"code": "A203", "severity": "block", "sentence": "A column.", "where": "",
         "hint": "audit.acknowledge.A203='why'", "acknowledged": f"known {HOSTILE}"},
    ]  # fmt: skip
    page = page_of(audit=findings)
    assert page.text.count("<script") == 1  # its own
    assert "A205 warning Plates <script>" in re.sub(r"\s+", " ", page.said)
    assert "Open. To answer: audit.acknowledge.A205='why'" in page.said
    assert "Acknowledged: known <script>" in page.said
    assert "audit.acknowledge.A203" not in page.said  # answered: nothing to do


def test_a_lone_page_links_to_no_other():
    assert "All models" not in page_of().said
    assert all(address.startswith("#") for address in page_of().addresses)


def test_settings_and_search_are_words():
    said = page_of().said
    assert "C = 1.0" in said
    assert "C: 0.1 to 9, logarithmic; kind: a or None; depth: int" in said
    assert "{" not in said.replace("\\frac{1}", "")


def test_a_site_with_one_class_is_undefined_and_says_so():
    def outcome(draw, n):
        return np.where(np.arange(n) % 3 == 2, 0.0, (np.arange(n) % 2).astype(float))

    cell = make_cell(
        "lone", good, outcome=outcome, repeats=1, test_labels=list(SITES),
        protocol={"name": "leave_one_site_out", "claim": "patients of a new site"},
    )  # fmt: skip
    board = make_board(cell)
    row = board.rows[0]
    (sites,) = [table for table in cell_tables(row, board) if table.title == "At each site"]
    assert [line[1] == "undefined" for line in sites.rows] == [False, False, True]
    page = Page(cell_page(row, board, list(of_cell(row, board))))
    assert "a class has fewer than two patients" in page.said
    assert "nan" not in re.findall(r"[a-z]+", page.said)


def test_a_number_as_outcome():
    def outcome(draw, n):
        return -40 + 20 * draw.normal(size=n)

    cells = [
        make_cell(
            name, lambda draw, y: 0.4 * y - 24 + 9 * draw.normal(size=len(y)), outcome=outcome,
            task={"name": "percent_change", "kind": "regression"}, events=None, outcome_mean=-40.0,
        )
        for name in ("ridge", "clinical_only")
    ]  # fmt: skip
    board = make_board(*cells)
    row = board.rows[0]
    page = Page(cell_page(row, board, list(of_cell(row, board))))
    assert "MAE (points)" in page.said
    assert "Net benefit" not in page.said
    assert "fewer than 20 patients" in page.said
    assert "with the outcome" not in page.said
    assert "by mse" in page.said  # what the search minimised, not the classification's log-loss
    assert all(table.notes for table in entry_tables(board))


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_in_light_dark_and_print():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # WCAG 2.2, 1.4.3
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    themes = re.findall(r":root \{([^}]*)\}", style)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", theme))
        for text in ("ink", "soft", "link", "warn"):
            for ground in ("ground", "panel"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground, theme)


def test_focus_is_visible():
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    assert re.search(r":focus-visible \{ outline: \.2rem solid", style)
