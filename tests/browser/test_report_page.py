"""The report as a reader meets it: in a browser, from a file, without a network."""

import csv
import io

import pytest
from opened import PHONE, WIDE
from pypdf import PdfReader

from qsmstudy.dataset import decisions

#: Backgrounds of the page, as a browser tells them.
GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
def test_report_is_silent_accessible_and_fits(open_page, report_file, width, scheme):
    opened = open_page(report_file, width=width, scheme=scheme)
    opened.page.wait_for_load_state("networkidle")
    assert opened.section("tables").locator("table").count() >= 6
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.page.evaluate(wider) == 0, "the page scrolls sideways"
    for item in opened.page.locator("details").all():
        item.evaluate("details => { details.open = true; }")
    assert opened.violations() == []
    opened.check_silent()


@pytest.fixture
def opened(open_page, report_file):
    found = open_page(report_file)
    yield found
    found.check_silent()


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_reader_chooses_the_colours(open_page, report_file, system, other):
    opened = open_page(report_file, scheme=system)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = opened.page.evaluate(ground)
    opened.page.get_by_role("button", name=f"{other.capitalize()} colours").click()
    switched = opened.page.evaluate(ground)
    assert (before, switched) == (GROUND[system], GROUND[other])
    opened.page.get_by_role("button", name=f"{system.capitalize()} colours").click()
    assert opened.page.evaluate(ground) == before
    opened.check_silent()


def column(opened, table, index):
    cells = opened.page.locator(f"#{table} tbody tr:not([hidden]) > :nth-child({index})")
    return cells.all_inner_texts()


def test_a_heading_sorts_its_table_both_ways_by_mouse_and_keyboard(opened):
    heading = opened.page.locator("#correlations thead th [role=button]").nth(4)
    heading.click()
    rising = [int(text) for text in column(opened, "correlations", 5)]
    assert rising == sorted(rising)
    heading.press("Enter")
    assert [int(text) for text in column(opened, "correlations", 5)] == rising[::-1]
    assert opened.page.locator("#correlations [aria-sort=descending]").count() == 1


def test_filters_keep_what_was_asked_for(opened):
    card = opened.section("scorecard")
    card.get_by_label("misses").check()
    assert column(opened, "scorecard", 1) == ["T4.COMB.auc"]
    assert card.locator("output").inner_text() == "1 of 4 numbers"
    card.get_by_label("all", exact=True).check()
    card.locator("select[name=part]").select_option("Table 1")
    assert column(opened, "scorecard", 1) == ["T1.smoking.p"]
    quality = opened.section("quality")
    quality.locator("input[value=excluded]").check()
    assert quality.locator(".scans > li:visible").count() == 1


def test_a_published_number_leads_to_its_table_cell(opened):
    opened.page.get_by_role("link", name="T3.LCN.AIS.mean").click()
    cell = opened.page.locator(":target")
    cell.wait_for()
    assert cell.evaluate("cell => cell.closest('table').id") == "table3"
    row = cell.evaluate("cell => [...cell.parentElement.cells].map(c => c.textContent.trim())")
    assert row[0].replace("\N{NO-BREAK SPACE}", " ") == "L CN"
    assert cell.evaluate("cell => cell === document.activeElement")


def test_every_link_within_the_page_has_a_target(opened):
    missing = opened.page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert missing == []


def test_copy_and_download_give_the_table(opened, report_file):
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.locator("[data-copy=table3]").click()
    opened.page.get_by_text("Copied").first.wait_for()
    text = opened.page.evaluate("navigator.clipboard.readText()")
    rows = list(csv.reader(io.StringIO(text), delimiter="\t"))
    assert len(rows) == 15
    assert {len(row) for row in rows} == {len(rows[0])}
    with opened.page.expect_download() as download:
        opened.page.locator('a[download="table3.tsv"]').click()
    assert download.value.path().read_bytes() == report_file.with_name("table3.tsv").read_bytes()


def test_one_click_opens_a_participants_page(opened):
    opened.page.locator(".thumb").first.click()
    page = opened.page.locator("details.scan[open]")
    page.wait_for()
    page.locator("img.mosaic").wait_for()  # visible once decoded
    page.get_by_role("button", name="Enlarge").click()
    assert opened.page.locator("#lightbox img").is_visible()
    opened.page.keyboard.press("Escape")
    assert not opened.page.locator("#lightbox").is_visible()


def test_decisions_are_saved_as_the_table_that_the_workflow_reads(opened, tmp_path):
    opened.page.locator(".thumb").last.click()
    page = opened.page.locator("details.scan[open]")
    page.get_by_label("exclude").check()
    person = page.get_attribute("data-person")
    opened.page.locator("#save-decisions").click()
    reason = page.get_by_label("Reason")
    assert reason.evaluate("field => field.validationMessage") == "An exclusion needs a reason."
    reason.fill('moved "a lot",\tthen slept')
    with opened.page.expect_download() as download:
        opened.page.locator("#save-decisions").click()
    assert download.value.suggested_filename == "decisions.tsv"
    path = tmp_path / "decisions.tsv"
    download.value.save_as(path)
    assert decisions.excluded(decisions.read_decisions(path))[person] == 'moved "a lot", then slept'


def test_markup_in_names_and_free_text_is_inert(opened):
    opened.page.wait_for_load_state("networkidle")
    assert opened.page.locator("img[src='x'], img[onerror]").count() == 0
    assert "alert(1)" in opened.section("participants").inner_text()
    assert opened.page.locator("script").count() == opened.page.evaluate("document.scripts.length")
    assert "alert" not in " ".join(opened.page.locator("script").all_text_contents())


def test_print_has_every_table_and_no_buttons(opened):
    file = PdfReader(io.BytesIO(opened.page.pdf(format="A4")))
    text = " ".join(" ".join(sheet.extract_text() for sheet in file.pages).split())
    titles = opened.page.locator(".table-block h3").all_inner_texts()
    assert len(titles) > 10
    for title in titles:
        assert " ".join(title.split()) in text, title
    last_rows = opened.page.locator("table[id]:visible tbody tr:last-child > :first-child")
    for words in last_rows.all_inner_texts():
        assert words.replace("\N{NO-BREAK SPACE}", " ") in text.replace("\N{NO-BREAK SPACE}", " ")
    # The widest table is whole: this cell at its right end stands nowhere else.
    assert "0.0136" in opened.page.locator("#qc").inner_text()
    assert "0.0136" in text
    assert "Download TSV" not in text
    assert "Copy" not in text
