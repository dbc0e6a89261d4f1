"""Correct the comparisons of left and right for their number."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import multiplicity


def main(
    *,
    asymmetry: Path,
    table: Path,
    groups: dict,
    alpha: float,
    test: str,
    correction: str,
    family: str,
) -> None:
    """Correct the comparisons of left and right for their number."""
    result = multiplicity.corrected_asymmetry(
        bids.read_tsv(asymmetry),
        groups=groups,
        alpha=alpha,
        test=test,
        correction=correction,
        family=family,
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
