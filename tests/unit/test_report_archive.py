"""A printed table as a page of its own."""

from types import SimpleNamespace

import jinja2
import pytest
from docutils.core import publish_parts
from report_study import HOSTILE, ROOT, TITLE, call, make_study

from qsmstudy.errors import StudyError


@pytest.fixture(scope="module")
def printing(tmp_path_factory):
    """The folder of a study, and a function that prints pages of it."""
    folder = tmp_path_factory.mktemp("archive")
    given = make_study(folder)

    def run(names):
        call("print_tables", given | {"pages": [folder / f"{name}.html" for name in names]})

    return folder, run


def test_pages_hold_their_table_escaped_and_nothing_from_elsewhere(printing):
    folder, run = printing
    run(["table3", "scorecard", "quality"])
    for name in ("table3", "scorecard", "quality"):
        text = (folder / f"{name}.html").read_text(encoding="utf-8")
        assert "<tbody>" in text
        assert HOSTILE not in text
        assert TITLE not in text
        assert "Simulated cohort" in text
        assert "default-src 'none'" in text
        assert "http://" not in text
    assert "L PUT" in (folder / "table3.html").read_text(encoding="utf-8")


def test_table_that_the_study_lacks_is_named(printing):
    _, run = printing
    with pytest.raises(StudyError, match="validations: not a printed table of this study"):
        run(["validations"])


def first_page(origin):
    """The first page of Snakemake's own report, as Snakemake fills and prints it."""
    text = (ROOT / "workflow" / "report" / "archive" / "study.rst").read_text(encoding="utf-8")
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text)
    filled = template.render(snakemake=SimpleNamespace(config={"origin": origin}))
    return publish_parts(filled, writer="html")["body"]


@pytest.mark.parametrize(
    "origin", ["Analysed: /data/my_scans_2/*.", "The cohort is simulated; no person was scanned."]
)
def test_first_page_of_snakemakes_report_says_whose_data_were_analysed(origin):
    page = first_page(origin)
    assert f"<strong>{origin}</strong>" in page
    assert ("simulated" in page) == ("simulated" in origin)
    assert "system-message" not in page
