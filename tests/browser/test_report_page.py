"""The report as a reader meets it: in a browser, from a file, without a network."""

import pytest
from opened import PHONE, WIDE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_report_opens_offline_without_complaint(open_page, report_file, width):
    opened = open_page(report_file, width=width)
    opened.page.wait_for_load_state("networkidle")
    opened.check_silent()
    assert opened.section("tables").locator("table").count() >= 6
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.page.evaluate(wider) == 0, "the page scrolls sideways"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, report_file, scheme):
    assert open_page(report_file, scheme=scheme).violations() == []
