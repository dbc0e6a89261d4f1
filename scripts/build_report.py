"""Gather tables, figures, checks and methods in one HTML file."""

from pathlib import Path

from numpy.typing import NDArray

from qsmstudy.dataset import bids, images
from qsmstudy.report import content, page, reporting, viewer
from qsmstudy.report.study import Study
from qsmstudy.run import fingerprints, job, record


def main(
    *, participants: Path, excluded: Path | None = None, roi_values: Path,
    scans: Path | None = None,
    table1: Path, table2: Path, table3: Path, table4: Path, table5: Path, table6: Path,
    correlations: Path, asymmetry: Path, lesion_sides: Path, power: Path, further: list[Path],
    figures: list[Path], mosaics: list[Path], packs: list[Path],
    published: Path | None = None, scorecard: Path | None = None,
    conclusions: Path | None = None, audit: Path | None = None,
    validation: Path | None = None, qc: Path | None = None,
    acquisition: list[Path], example: Path | None = None,
    references: Path, templates: list[Path], lock: Path, report: Path,
    config: dict, groups: dict, alpha: float, title: str, simulated: bool, origin: str,
    viewer_megabytes: float,
    graph: dict, benchmarks: str,
) -> None:  # fmt: skip
    """Gather tables, figures, checks and methods in one HTML file."""
    tables = {
        "participants": participants, "excluded": excluded,
        "roi_values": roi_values, "table1": table1,
        "table2": table2, "table3": table3, "table4": table4, "table5": table5,
        "table6": table6, "correlations": correlations, "asymmetry": asymmetry,
        "lesion_sides": lesion_sides, "power": power,
        "published": published, "scorecard": scorecard, "conclusions": conclusions, "audit": audit,
        "validation": validation, "qc": qc,
        "scans": scans,
    } | {path.stem: path for path in further}  # fmt: skip
    study = Study(
        tables={name: path for name, path in tables.items() if path is not None},
        figures=figures, mosaics=mosaics, config=config, groups=groups, alpha=alpha,
        title=title, simulated=simulated, origin=origin,
        viewer=viewer.gather(
            packs, report=report, max_megabytes=viewer_megabytes,
            window_ppm=config["draw_mosaic"]["chi_window_ppm"],
        ),
        acquisition=reporting.acquired(
            [bids.read_json(path) for path in acquisition],
            None if example is None else grid_of(example),
        ),
        graph=graph, run_times=[
            row for row in record.run_times(Path(benchmarks)) if row["rule"] != "build_report"
        ],
        provenance={
            "commit": fingerprints.git_commit(), "lock": fingerprints.file_hash(lock),
            "command": record.command_line(),
        },
    )  # fmt: skip
    text = page.render(
        templates, content.gather(study, bibliography=references.read_text(encoding="utf-8"))
    )
    with bids.replacing(report) as temporary:
        temporary.write_text(text, encoding="utf-8")
    job.log.info("%s: %.1f MB", report, len(text.encode()) / 1e6)


def grid_of(path: Path) -> tuple[tuple[int, ...], NDArray]:
    """Return the number of voxels of a map per axis, and its affine."""
    volume = images.load(path)
    return volume.values.shape, volume.affine


if __name__ == "__main__":
    job.run(main)
