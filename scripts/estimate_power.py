"""Estimate every region's power and the size of a replication."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats.options import EstimatePower
from qsmstudy.stats.power import power_table
from qsmstudy.study.study import Study


def main(
    *,
    table3: Path,
    table: Path,
    study: Study,
    options: EstimatePower,
) -> None:
    """Estimate every region's power and the size of a replication."""
    bids.write_tsv(table, power_table(bids.read_tsv(table3), study=study, options=options))


if __name__ == "__main__":
    job.run(main)
