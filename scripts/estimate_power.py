"""Estimate every region's power and the size of a replication."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.stats import power


def main(*, table3: Path, table: Path, groups: dict, alpha: float, target_power: float) -> None:
    """Estimate every region's power and the size of a replication."""
    result = power.power_table(
        bids.read_tsv(table3), groups=groups, alpha=alpha, target_power=target_power
    )
    bids.write_tsv(table, result)


if __name__ == "__main__":
    job.run(main)
