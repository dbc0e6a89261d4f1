"""Print every table as an HTML page of its own, for Snakemake's report."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.report import archive, page
from qsmstudy.report.study import Study
from qsmstudy.run import job


def main(
    *, participants: Path, roi_values: Path,
    table1: Path, table2: Path, table3: Path, table4: Path, table5: Path, table6: Path,
    correlations: Path, asymmetry: Path, lesion_sides: Path, further: list[Path],
    published: Path | None = None, scorecard: Path | None = None,
    conclusions: Path | None = None, audit: Path | None = None,
    validation: Path | None = None, qc: Path | None = None,
    templates: list[Path], pages: list[Path],
    config: dict, groups: dict, alpha: float, title: str, simulated: bool,
) -> None:  # fmt: skip
    """Print every table as an HTML page of its own, for Snakemake's report."""
    tables = {
        "participants": participants, "roi_values": roi_values, "table1": table1,
        "table2": table2, "table3": table3, "table4": table4, "table5": table5,
        "table6": table6, "correlations": correlations, "asymmetry": asymmetry,
        "lesion_sides": lesion_sides,
        "published": published, "scorecard": scorecard, "conclusions": conclusions, "audit": audit,
        "validation": validation, "qc": qc,
    } | {path.stem: path for path in further}  # fmt: skip
    study = Study(
        tables={name: path for name, path in tables.items() if path is not None},
        figures=[], mosaics=[], config=config, groups=groups, alpha=alpha, title=title,
        simulated=simulated, provenance={},
    )  # fmt: skip
    found = archive.tables(study)
    for path in pages:
        text = page.render(templates, archive.gather(study, found, path.stem), name=archive.PAGE)
        with bids.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.run(main)
