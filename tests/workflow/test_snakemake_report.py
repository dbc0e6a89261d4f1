"""Snakemake's own report: an archive that shows every table and figure without a network."""

import re
import zipfile

import pytest

from qsmstudy.figures.catalogue import FIGURES
from qsmstudy.stats import catalogue

pytestmark = pytest.mark.workflow

#: Pages of the small study, which has all tables but the one that takes minutes.
PAGES = catalogue.pages(t for t in catalogue.TABLES.values() if t.optional != "null_cohort")
SHOWN = {
    category: [
        t.label for t in PAGES.values() if catalogue.REPORT_SECTIONS[t.section].category == category
    ]
    for category in ("Tables", "Further tables", "Checks", "Quality")
} | {"Figures": [figure.label for figure in FIGURES.values()]}
SHOWN["Quality"] += [f"sub-{i:02d}" for i in range(1, 7)]
#: Snakemake's page carries a library that says this of itself; nothing is fetched.
KNOWN = "cdn.tailwindcss.com should not be used in production"


@pytest.fixture(scope="module")
def archive(checkout, study, tmp_path_factory):
    """The unpacked archive's folder."""
    folder = tmp_path_factory.mktemp("archive")
    checkout.snakemake("--cores", "1", "--report", str(folder / "report.zip"))
    with zipfile.ZipFile(folder / "report.zip") as packed:
        packed.extractall(folder)
    return folder / "report"


def test_archive_holds_every_table_figure_and_mosaic(archive):
    names = {path.name for path in (archive / "data").rglob("*.*")}
    assert names == {
        *(f"{page}.html" for page in PAGES),
        *(f"{name}.svg" for name in FIGURES),
        *(f"sub-{i:02d}.png" for i in range(1, 7)),
    }


def is_problem(said):
    return said.type in ("error", "warning") and KNOWN not in said.text


@pytest.mark.browser
def test_archive_shows_every_item_with_its_caption_offline(archive, chromium):
    context = chromium.new_context(offline=True, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    problems = []
    page.on("console", lambda said: problems.append(said.text) if is_problem(said) else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda asked: problems.append(asked.url))
    for category, items in SHOWN.items():
        page.goto((archive / "report.html").as_uri())
        page.get_by_text(category, exact=True).first.dispatch_event("click")
        for item in items:
            row = page.locator("tr").filter(has=page.get_by_role("cell", name=item, exact=True))
            # Without waiting for the list's animation, which never rests on a busy machine.
            row.locator("[iconname=eye]").dispatch_event("click")
            check_shown(page, picture=item.startswith(("Figure", "sub-")))
        row.locator("[iconname=information-circle]").dispatch_event("click")
        page.get_by_text("Description").wait_for()
    assert problems == []
    context.close()


def check_shown(page, *, picture):
    """Assert that an item is drawn: a picture with pixels, or a page with its table."""
    if picture:
        shown = page.locator("img[src*='data/raw']")
        shown.wait_for()
        page.wait_for_function("image => image.naturalWidth > 100", arg=shown.element_handle())
    else:
        page.frame_locator("iframe").locator("table thead th").first.wait_for()


def test_archive_carries_every_caption(archive):
    text = (archive / "report.html").read_text(encoding="utf-8")
    for table in PAGES.values():
        assert table.question in text, table.name
    for figure in FIGURES.values():
        start = re.split(r"[.{’]", figure.caption.removeprefix("{figure4[y]} "))[0].strip()
        assert start in text, figure.name
