"""Print every table as an HTML page of its own, for Snakemake's report."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.report import archive, page
from qsmstudy.report.results import StudyResults
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(
    *, participants: Path, roi_values: Path, tables: list[Path], published: Path | None = None,
    templates: list[Path], pages: list[Path], config: dict, study: Study, title: str,
    simulated: bool,
) -> None:  # fmt: skip
    """Print every table as an HTML page of its own, for Snakemake's report."""
    given = {"participants": participants, "roi_values": roi_values, "published": published}
    results = StudyResults(
        tables={path.stem: path for path in tables}
        | {name: path for name, path in given.items() if path is not None},
        figures=[], mosaics=[], config=config, study=study, title=title, simulated=simulated,
        provenance={},
    )  # fmt: skip
    printed = archive.tables_by_page(results)
    for path in pages:
        text = page.render(
            templates, archive.archive_page(results, printed, path.stem), name=archive.TABLE_PAGE
        )
        with bids.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.run(main)
