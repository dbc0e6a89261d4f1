"""Gather tables, figures, checks and methods in one HTML file."""

from pathlib import Path

from numpy.typing import NDArray

from qsmstudy.dataset import bids, images
from qsmstudy.report import content, page, reporting, viewer
from qsmstudy.report.page_options import BuildReport
from qsmstudy.report.results import StudyResults
from qsmstudy.run import fingerprints, job, run_record
from qsmstudy.study.study import Study


def main(
    *, participants: Path, roi_values: Path, tables: list[Path], published: Path | None = None,
    figures: list[Path], mosaics: list[Path], packs: list[Path], acquisition: list[Path],
    example: Path | None = None, references: Path, templates: list[Path], lock: Path, report: Path,
    config: dict, study: Study, title: str, simulated: bool, origin: str, options: BuildReport,
    graph: dict, benchmarks: str,
) -> None:  # fmt: skip
    """Gather tables, figures, checks and methods in one HTML file."""
    given = {"participants": participants, "roi_values": roi_values, "published": published}
    results = StudyResults(
        tables={path.stem: path for path in tables}
        | {name: path for name, path in given.items() if path is not None},
        figures=figures, mosaics=mosaics, config=config, study=study,
        title=title, simulated=simulated, origin=origin,
        viewer=viewer.gather_packs(
            packs, report=report, max_megabytes=options.viewer_megabytes,
            window_ppm=config["draw_mosaic"]["chi_window_ppm"],
        ),
        acquisition=reporting.acquired(
            [bids.read_json(path) for path in acquisition],
            None if example is None else grid_of(example),
        ),
        graph=graph, run_times=[
            row for row in run_record.run_times(Path(benchmarks)) if row["rule"] != "build_report"
        ],
        provenance={
            "commit": fingerprints.git_commit(), "lock": fingerprints.file_hash(lock),
            "command": run_record.command_line(),
        },
    )  # fmt: skip
    text = page.render(
        templates,
        content.page_content(results, bibliography=references.read_text(encoding="utf-8")),
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
