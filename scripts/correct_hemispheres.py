"""Correct the comparisons of left and right for their number."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.multiplicity import corrected_asymmetry
from qsmstudy.stats.options import CorrectHemispheres
from qsmstudy.study.study import Study


def main(
    *,
    asymmetry: Path,
    table: Path,
    study: Study,
    options: CorrectHemispheres,
) -> None:
    """Correct the comparisons of left and right for their number."""
    result = corrected_asymmetry(bids.read_tsv(asymmetry), study=study, options=options)
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
