"""The site says what the boards say, lets no name become markup, and needs no network."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from support.boards import HOSTILE, add
from support.dom import parse

from cytobench.evaluate.ranks import FEWEST_TO_DRAW
from cytobench.leaderboard.benefit_sheet import sheet
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.rank import Row
from cytobench.leaderboard.render import to_json
from cytobench.leaderboard.tables import table_rows
from cytobench.report.explanation import explanation_section
from cytobench.report.illustrations import of_cell
from cytobench.report.tables import NUMBER_COLUMNS, numbers
from cytobench.run.store import RunStore
from cytobench.site.board import board_page
from cytobench.site.overview import over_page
from cytobench.site.pages import TEMPLATES
from cytobench.site.panel import panel_ids
from cytobench.site.ranking import every_row, ranking
from cytobench.site.vector import inline
from cytobench.site.write import write_site


def rows_of(table):
    """Label -> the row's element."""
    return {row.one("th").one("a").text: row for row in table.every("tr", "row")}


def all_pages(folder):
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))}


def test_every_cell_of_the_table_is_the_boards(page, board):
    shown = rows_of(page.one("table", "board"))
    for row, texts in zip(every_row(board), table_rows(board), strict=True):
        cells = [cell.text for cell in shown[row.label].every("td")]
        assert cells[2:] == list(texts[2:])
        assert cells[2].startswith(f"{row.estimate(board.headline).value:.3f}")


def test_every_number_of_a_row_is_the_boards(page, board):
    for row, name in zip(every_row(board), panel_ids(board), strict=True):
        table = next(t for t in page.by_id(name).every("table")
                     if t.one("caption").text.startswith("Every number"))  # fmt: skip
        lines = [[cell.text for cell in line.every() if cell.tag in ("th", "td")]
                 for line in table.one("tbody").every("tr")]  # fmt: skip
        assert lines == [[" ".join(text.split()) for text in line] for line in numbers(row, None)]
        assert [cell.text for cell in table.one("thead").every("th")] == list(NUMBER_COLUMNS)


def test_drawn_intervals_stand_where_the_numbers_are(page, board):
    table = page.one("table", "board")
    scale = ranking(board, panel_ids(board)).scale
    for row in every_row(board):
        drawn = dict(
            re.findall(
                r"--(\w+): ([-\d.]+)%", rows_of(table)[row.label].one("span", "bar")["style"]
            )
        )
        found = row.estimate(board.headline)
        for name, value in (("low", found.low), ("at", found.value), ("high", found.high)):
            place = scale.low + float(drawn[name]) / 100 * (scale.high - scale.low)
            assert place == pytest.approx(value, abs=1e-3)


def test_the_figures_words_are_those_of_the_report(board):
    for item in of_cell(board.rows[0], board):
        said = re.findall(r"<text[^>]*>([^<]*)<", item.vector.decode())
        shown = re.findall(r"<text[^>]*>([^<]*)<", str(inline(item.vector, name="x", alt="")))
        assert said == shown


def test_ties_stand_together_and_the_ceiling_apart(page, board):
    groups = {body.classes[-1]: body for body in page.one("table", "board").every("tbody")}
    inside = {name: set(rows_of(body)) for name, body in groups.items()}
    assert inside["ceiling"] == {"truth"}
    for name, verdict in (("tied", True), ("worse", False)):
        assert inside[name] == {r.label for r in board.rows if r.tied_with_best is verdict}
    assert {row.one("td", "rank").text for row in rows_of(groups["tied"]).values()} == {"=1"}
    assert len(inside["tied"]) > 1
    assert inside["worse"]


def test_floor_ceiling_and_share_of_the_distance_are_there(page, board):
    table = page.one("table", "board")
    assert {"with-floor", "with-ceiling"} <= set(table.classes)
    assert "share of floor to ceiling" in [th.text for th in table.one("thead").every("th")]
    facts = {
        item.one("dt").text: item.one("dd").text for item in page.one("dl", "keys").every("div")
    }
    floor = next(r for r in board.rows if r.label == "clinical_only")
    assert facts["Clinical floor"].startswith(f"{floor.estimate('auc').value:.3f}")
    assert facts["Ceiling"].startswith(f"{board.ceiling.estimate('auc').value:.3f}")


def test_the_json_beside_the_page_is_the_boards(site, board, page):
    link = next(a["href"] for a in page.every("a") if a.get("href", "").endswith(".json"))
    assert (site / "suite" / link).read_text(encoding="utf-8") == to_json(board)


def test_a_name_cannot_become_markup(site):
    script = (TEMPLATES / "site.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    for path, text in all_pages(site).items():
        tree = parse(text)
        assert [node.text for node in tree.every("script")] == [" ".join(script.split())], path
        assert f"script-src 'sha256-{digest}'" in text
        assert not [
            node for node in tree.every() if any(k.startswith("on") for k in node.attributes)
        ]
    entry = parse((site / "suite" / "trial-response.html").read_text(encoding="utf-8"))
    assert HOSTILE in [a.text for a in entry.one("table", "board").every("a")]


def test_nothing_is_loaded_from_anywhere_and_every_link_leads_somewhere(site):
    for path, text in all_pages(site).items():
        tree = parse(text)
        assert not re.search(r"(?:src|href|action|data)\s*=\s*[\"']?(?:https?:)?//", text)
        assert not re.search(r"@import|url\((?!#)", text)
        ids = {node["id"] for node in tree.every() if "id" in node.attributes}
        for address in [n["href"] for n in tree.every() if "href" in n.attributes]:
            name, _, fragment = address.partition("#")
            if name:
                assert (path.parent / name).is_file(), f"{path}: {address}"
            else:
                assert fragment in ids, f"{path}: {address}"
        for reference in re.findall(r"url\(#([^)]+)\)", text):
            assert reference in ids


def test_ids_are_unique_and_headings_descend_one_by_one(site):
    for path, text in all_pages(site).items():
        tree = parse(text)
        ids = [node["id"] for node in tree.every() if "id" in node.attributes]
        assert len(ids) == len(set(ids)), path
        levels = [int(n.tag[1]) for n in tree.every() if re.fullmatch("h[1-6]", n.tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels)), (path, levels)


def test_tables_and_figures_can_be_heard(site):
    for path, text in all_pages(site).items():
        tree = parse(text)
        for table in tree.every("table"):
            assert table.every("caption")[0].text, path
            assert all(th.get("scope") for th in table.every("th")), path
        captions = [table.every("caption")[0].text for table in tree.every("table")]
        assert len(captions) == len(set(captions)), path
        for figure in tree.every("svg"):
            assert figure["role"] == "img"
            assert figure["aria-label"]
        for field in [*tree.every("input"), *tree.every("select")]:
            assert field.parent.tag == "label"
            assert field.parent.text


def test_without_script_a_row_leads_to_its_details(page):
    for row in page.one("table", "board").every("tr", "row"):
        panel = page.by_id(row.one("a", "opener")["href"][1:])
        assert panel.parent.tag == "details"
        said = [summary.text for summary in panel.every("summary")]
        assert "Curves" in said
        assert "Every number with its interval" in said
    hidden = [node for node in page.every() if "data-needs-script" in node.attributes]
    assert hidden
    assert all("hidden" in node.attributes for node in hidden)


def test_a_row_opens_into_parameters_and_provenance(page, board):
    row = board.rows[0]
    text = page.by_id(panel_ids(board)[1]).text
    assert row.cell.key in text
    assert row.cell.about["plan"] in text
    assert row.cell.about["model"]["source"] in text
    assert "0.1 to 9, logarithmic" in text
    assert "What 10 outer folds chose" in text
    assert "C2.50.5 to 4.5" in text  # what the folds chose: middle and range


def test_a_row_opens_into_what_its_model_goes_by_and_only_where_that_is_known(page, board):
    for row, name in zip(every_row(board), panel_ids(board), strict=True):
        tables = [t for t in page.by_id(name).every("table")
                  if t.one("caption").text.startswith("Every column")]  # fmt: skip
        section = explanation_section(row, board) if isinstance(row, Row) else None

        assert bool(tables) == (row.label == "strong") == (section is not None)
        if section is not None:
            lines = [[cell.text for cell in line.every() if cell.tag in ("th", "td")]
                     for line in tables[0].one("tbody").every("tr")]  # fmt: skip
            assert lines == [[" ".join(t.split()) for t in line] for line in section.table.rows]
            assert all(words in page.by_id(name).text for words in section.words)


def test_a_row_shows_how_its_network_was_trained(page, board):
    shown = [
        row.label
        for row, name in zip(every_row(board), panel_ids(board), strict=True)
        if "The first fold stopped after 4 epochs, the last after 13" in page.by_id(name).text
    ]

    assert shown == ["strong"]


def test_no_folder_of_the_machine_is_published(site):
    for path in site.rglob("*.*"):
        assert "somebody" not in path.read_text(encoding="utf-8"), path
    text = (site / "suite" / "trial-response.html").read_text(encoding="utf-8")
    assert "cytobench run dataset.path=…/table.csv" in text


def test_the_same_store_gives_the_same_bytes(site, store, board, tmp_path):
    write_site([board], store, tmp_path)
    for path in site.rglob("*.*"):
        assert (tmp_path / path.relative_to(site)).read_bytes() == path.read_bytes(), path


def test_a_learning_curve_stands_with_the_cohort_that_it_is_of(page):
    table = next(
        t for t in page.every("table") if t.one("caption").text.startswith("AUC by training")
    )
    sizes = [int(row.every("td")[0].text) for row in table.one("tbody").every("tr")]
    assert sizes == [29, 48, 67, 96]
    assert page.by_id("learning").text == "Learning curves"


def test_rows_of_another_revision_never_share_the_table(tmp_path):
    store = RunStore(tmp_path / "runs")
    for seed, model in enumerate(("one", "two", "clinical_only")):
        add(store, model, 1.0, seed=seed)
    add(store, "three", 1.0, seed=9, fingerprint="e" * 64)
    write_site(boards(store), store, tmp_path / "site")
    text = (tmp_path / "site" / "suite" / "trial-response.html").read_text(encoding="utf-8")
    assert set(rows_of(parse(text).one("table", "board"))) == {
        "truth",
        "one",
        "two",
        "clinical_only",
    }
    assert "not shown: 1 of the entry&#39;s 4 cells, which differ from the rows in data" in text


def many_cohorts(store, count):
    for number in range(count):
        for seed, (model, strength) in enumerate({"a": 3.0, "b": 1.5, "c": 0.3}.items()):
            name = f"cohort{number}"
            add(store, model, strength, entry=f"{name}-response", kind="real", dataset=name,
                fingerprint=f"{number:064x}", seed=10 * number + seed)  # fmt: skip
    return boards(store)


def test_many_cohorts_get_a_critical_difference_diagram(tmp_path):
    found = many_cohorts(RunStore(tmp_path / "runs"), FEWEST_TO_DRAW)
    tree = parse(over_page("suite", found))
    assert "critical difference" in tree.one("svg").text
    ranks, values = tree.every("table")
    assert [row.one("th").text for row in ranks.one("tbody").every("tr")] == ["a", "b", "c"]
    shown = {
        row.one("th").text: [cell.text for cell in row.every("td")]
        for row in values.one("tbody").every("tr")
    }
    for row in found[3].rows:
        assert shown[row.label][3] == f"{row.estimate('auc').value:.3f}"


def test_too_few_cohorts_get_the_reason(tmp_path):
    found = many_cohorts(RunStore(tmp_path / "runs"), 3)
    tree = parse(over_page("suite", found))
    assert "critical difference" not in tree.one("svg").text
    assert "3 real cohorts" in tree.text
    assert "nothing to rank" in parse(over_page("suite", found[:1])).text


def test_treatment_rules_have_their_own_columns(rules, tmp_path):
    (found,) = boards(rules)
    write_site([found], rules, tmp_path)
    path = tmp_path / "adhoc" / f"{found.entry.name}.html"
    table = parse(path.read_text(encoding="utf-8")).one("table", "board")
    assert "gain over best single arm" in [th.text for th in table.one("thead").every("th")]
    shown = rows_of(table)
    for row, texts in zip(every_row(found), sheet(found).rows, strict=True):
        cells = [cell.text for cell in shown[row.label].every("td")]
        assert cells[2:] == list(texts[2:])
        assert cells[2].startswith(f"{row.estimate('value').value:.3f}")
    assert json.loads(path.with_suffix(".json").read_text())["headline"] == "value"


def test_a_comparison_that_is_refused_shows_the_reason_and_no_ranks(rules):
    (found,) = boards(rules)
    refused = replace(found, refusal=f"the arm {HOSTILE} has 3 patients")
    tree = parse(board_page(refused, {}))
    assert refused.refusal in tree.text
    assert not tree.every("table", "board")


def test_the_command_writes_one_folder(cytobench, store):
    done = cytobench("leaderboard", "site", "suite", "--store", str(store.root), "--out", "pages")
    assert "wrote pages/index.html" in done.stdout
    wrong = cytobench("leaderboard", "site", "sweet", "--store", str(store.root), check=False)
    assert wrong.returncode == 2
    assert "E701" in wrong.stderr
    assert not Path("leaderboards").exists()
