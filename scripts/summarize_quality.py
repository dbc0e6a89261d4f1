"""Gather the quality measures of all scans in one table."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.study import quality
from qsmstudy.study.options import SummarizeQuality


def main(
    *, field: list[Path], r2star: list[Path], mask: list[Path], local_field: list[Path],
    chi: list[Path], qc: Path, options: SummarizeQuality,
) -> None:  # fmt: skip
    """Gather the quality measures of all scans in one table."""
    sidecars: dict[str, dict] = {}
    given = (field, r2star, mask, local_field, chi)
    for step, paths in zip(quality.STEPS, given, strict=True):
        for path in paths:
            sidecars.setdefault(quality.scan_of(path), {})[step] = bids.read_json(path)
    table = quality.quality_table(sidecars, outlier_z=options.outlier_z)
    bids.write_tsv(qc, table)
    job.log.info("%d scans, %d with a flag", len(table), table["flags"].notna().sum())


if __name__ == "__main__":
    job.run(main)
