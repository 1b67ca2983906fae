"""The site in a real browser: sorted, filtered and opened by keyboard, dark, and on a phone."""

from __future__ import annotations

import pytest
from support.boards import HOSTILE
from support.browser import PHONE, Visits

OPENER = "button.opener"
ROWS = "table.board tr.row:visible"


@pytest.fixture
def visit(browser, site):
    """``visit("suite/trial-response.html", viewport=...)``: no error and no request may happen."""
    visits = Visits(browser, site)
    yield lambda address="suite/trial-response.html", **options: visits(address, **options)
    visits.close()


def labels(tab):
    return tab.locator(f"{ROWS} {OPENER}").all_inner_texts()


def header(tab, name):
    return tab.locator("table.board > thead th").filter(has_text=name)


def colours(tab):
    return tab.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )


def test_a_column_is_sorted_by_keyboard_and_says_so(visit, board):
    tab = visit()
    button = header(tab, "AUC (95 % interval)").locator("button")
    ranked = labels(tab)
    auc = {row.label: row.estimate("auc").value for row in [*board.rows, board.ceiling]}
    expected = sorted(auc, key=lambda label: -auc[label])

    button.focus()
    tab.keyboard.press("Enter")
    assert labels(tab) == expected
    assert header(tab, "AUC (95 % interval)").get_attribute("aria-sort") == "descending"
    assert not tab.locator("tr.heading:visible").count()

    tab.keyboard.press("Space")
    assert labels(tab) == expected[::-1]
    assert header(tab, "AUC (95 % interval)").get_attribute("aria-sort") == "ascending"
    assert tab.locator("[aria-sort]").count() == 1

    header(tab, "Rank").locator("button").click()
    assert labels(tab) == ranked
    assert tab.locator("tr.heading:visible").count() == 3


def test_text_sorts_as_text_and_what_is_missing_stands_last(visit):
    tab = visit()
    header(tab, "Model").locator("button").click()
    assert labels(tab) == sorted(labels(tab), key=str.casefold)
    for _ in range(2):
        header(tab, "with the best").locator("button").click()
        assert labels(tab)[-1] == "truth"


def test_rows_are_filtered_by_role_inputs_and_text(visit):
    tab = visit()
    count = tab.get_by_role("status")
    assert count.inner_text() == "7 of 7 rows"
    tab.get_by_label("Role").select_option("floor")
    assert set(labels(tab)) == {"clinical_only", "prior"}
    assert count.inner_text() == "2 of 7 rows"
    tab.get_by_label("Role").select_option("")
    tab.get_by_label("Inputs").select_option("analytes + clinical")
    assert set(labels(tab)) == {"strong", "as_strong", "useless", HOSTILE}
    tab.get_by_label("Search").fill("STRONG")
    assert set(labels(tab)) == {"strong", "as_strong"}
    tab.get_by_label("Search").press("Enter")
    assert "?" not in tab.url
    tab.get_by_label("Search").fill("nobody")
    assert labels(tab) == []
    assert count.inner_text() == "No row matches"
    assert not tab.locator("tr.heading:visible").count()


def test_a_row_is_opened_and_closed_by_keyboard(visit):
    tab = visit()
    button = tab.locator(OPENER).nth(1)
    panel = tab.locator(f"#{button.get_attribute('aria-controls')}")
    button.focus()
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    tab.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert panel.is_visible()
    assert panel.locator("svg").first.is_visible()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('tr.detail') !== null")
    provenance = panel.get_by_text("Provenance", exact=True)
    provenance.focus()
    tab.keyboard.press("Enter")
    assert panel.get_by_text("split plan").is_visible()
    tab.keyboard.press("Escape")
    assert not panel.is_visible()
    assert tab.evaluate("document.activeElement.className") == "opener"


def test_an_open_row_shows_training_and_importance(visit):
    tab = visit("suite/trial-response.html#model-strong")
    panel = tab.locator("#model-strong:visible")

    panel.get_by_text("What the model goes by", exact=True).click()

    assert panel.get_by_role("img", name="Line chart of the mean over 10 folds").is_visible()
    importance = panel.get_by_role("img", name="Dot plot of the fall of the AUC for 2 columns")
    assert importance.is_visible()
    assert "<script>alert('x')</script>" in importance.text_content()
    assert panel.get_by_role("table", name="Every column").is_visible()


def test_an_open_row_keeps_its_details_beside_it_when_sorted_and_filtered(visit):
    tab = visit()
    tab.locator(OPENER).filter(has_text="useless").click()
    header(tab, "Model").locator("button").click()
    follows = "e => e.closest('tr').nextElementSibling.querySelector('h3').textContent"
    assert tab.locator(OPENER).filter(has_text="useless").evaluate(follows) == "useless"
    tab.get_by_label("Search").fill("as_strong")
    assert not tab.locator("tr.detail:visible").count()
    tab.get_by_label("Search").fill("")
    assert tab.locator("tr.detail:visible").count() == 1


def test_an_address_opens_its_row(visit):
    tab = visit("suite/trial-response.html#model-as_strong")
    assert tab.locator("tr.detail:visible h3").inner_text() == "as_strong"
    assert tab.evaluate("document.activeElement.textContent") == "as_strong"


def test_dark_follows_the_system_and_the_button_and_is_remembered(visit):
    light, dark = colours(visit(color_scheme="light")), colours(visit(color_scheme="dark"))
    assert light != dark
    tab = visit(color_scheme="light")
    tab.get_by_role("button", name="Dark theme").click()
    assert colours(tab) == dark
    figure = tab.locator("svg text").first.evaluate("e => getComputedStyle(e).fill")
    assert figure == dark[1]
    tab.reload()
    assert colours(tab) == dark
    tab.get_by_role("button", name="Light theme").click()
    assert colours(tab) == light


def luminance(colour):
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visit, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5."""
    tab = visit(color_scheme=scheme)
    ground = luminance(colours(tab)[0])
    for part in (
        "p.lead",
        "caption",
        "tr.heading th",
        ".badge",
        ".figures small",
        ".opener",
        "footer p",
    ):
        words = luminance(tab.locator(part).first.evaluate("e => getComputedStyle(e).color"))
        brighter, darker = max(words, ground), min(words, ground)
        assert (brighter + 0.05) / (darker + 0.05) >= 4.5, part


@pytest.mark.parametrize(
    "address",
    ["index.html", "suite/index.html", "suite/trial-response.html", "suite/over-datasets.html"],
)
def test_a_phone_scrolls_no_page_sideways(visit, address):
    tab = visit(address, viewport=PHONE)
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for button in tab.locator(OPENER).all():
        button.click()
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_what_a_phone_cuts_off_fades_at_that_edge(visit):
    tab = visit(viewport=PHONE)
    table = tab.locator(".scroll.ranking")

    assert faded(table, 0) == (False, True)
    assert faded(table, 0.5) == (True, True)
    assert faded(table, 1) == (True, False)


def test_a_table_that_fits_does_not_fade(visit):
    tab = visit("suite/index.html", viewport={"width": 1600, "height": 900})

    assert faded(tab.locator(".scroll").first, 0) == (False, False)


def faded(table, share):
    """Whether its edges fade, left and right, once this share is scrolled away."""
    table.evaluate("(e, s) => { e.scrollLeft = s * (e.scrollWidth - e.clientWidth); }", share)
    table.page.wait_for_timeout(200)  # a frame in which the browser sees it
    style = "e => ['--before', '--behind'].map(n => getComputedStyle(e).getPropertyValue(n))"
    return tuple(edge != "0px" for edge in table.evaluate(style))


def test_on_a_phone_name_number_and_interval_fit_at_once(visit):
    tab = visit(viewport=PHONE)
    row = tab.locator(ROWS).nth(1)
    for part in (OPENER, ".figures", ".bar"):
        box = row.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"], part


def test_everything_that_can_be_pressed_has_a_name_and_a_size(visit):
    for width in (1280, 360):
        tab = visit(viewport={"width": width, "height": 900})
        for part in tab.locator(
            "button:visible, a:visible, select:visible, input:visible, summary:visible"
        ).all():
            name = part.evaluate("e => e.innerText || (e.labels && e.labels[0].innerText) || ''")
            assert name.strip(), part.evaluate("e => e.outerHTML")
        for part in tab.locator("button:visible, select:visible, input:visible").all():
            assert part.bounding_box()["height"] >= 20


def test_the_skip_link_comes_first_and_leads_to_the_content(visit):
    tab = visit()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_who_wants_no_motion_gets_none(visit):
    tab = visit(reduced_motion="reduce")
    assert tab.locator(OPENER).first.evaluate(
        "e => getComputedStyle(e, '::before').transitionDuration"
    ) in ("0s", "1e-05s")


def test_print_shows_all_columns_and_no_controls(visit):
    tab = visit(viewport={"width": 700, "height": 900}, color_scheme="dark")
    tab.emulate_media(media="print")
    assert not tab.locator(".filters").is_visible()
    assert not tab.locator(".theme").is_visible()
    assert header(tab, "s per fold").is_visible()
    assert colours(tab)[0] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_without_script_the_table_is_whole_and_links_lead_to_details(visit):
    tab = visit(java_script_enabled=False)
    assert tab.locator("table.board tr.row").count() == 7
    assert not tab.locator(".filters").is_visible()
    tab.locator("a.opener").nth(1).click()
    assert tab.locator("#model-strong svg").first.is_visible()


def test_the_pages_lead_to_each_other(visit):
    tab = visit("index.html")
    tab.get_by_role("link", name="response on trial").click()
    tab.get_by_role("link", name="suite", exact=True).click()
    tab.get_by_role("link", name="Models ranked over data sets").click()
    assert "nothing to rank" in tab.inner_text("main")
    tab.get_by_role("link", name="cytobench leaderboards").click()
    assert tab.inner_text("h1") == "Leaderboards"


def test_figures_can_be_read_on_a_phone(visit):
    tab = visit(viewport=PHONE)
    tab.locator(OPENER).nth(1).click()
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")

    heights = tab.evaluate(
        """[...document.querySelectorAll('svg.figure text')]
           .filter(e => e.getClientRects().length)
           .map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().d)
           .filter(height => height > 0)"""
    )

    assert len(heights) > 20
    assert min(heights) >= 8.5  # the smallest print of a figure; most of it is 10 and more


def test_a_long_name_breaks_between_its_words_on_a_phone(visit):
    tab = visit(viewport=PHONE)
    shown = tab.locator(ROWS).nth(1).locator(f"{OPENER} > span").last
    shown.evaluate("e => { e.innerHTML = 'treatment_<wbr>conditioned'; }")

    lines = shown.evaluate(
        """e => { const range = document.createRange(); range.selectNodeContents(e);
                  return new Set([...range.getClientRects()].map(r => Math.round(r.top))).size; }"""
    )

    assert lines == 2
