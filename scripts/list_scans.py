"""Gather which scans are used and why others are left out."""

from pathlib import Path

from qsmstudy.dataset import bids, scan_status
from qsmstudy.run import job


def main(*, status: list[Path], table: Path, left_out: dict, n_echoes: int | str) -> None:
    """Gather which scans are used and why others are left out."""
    checked = [bids.read_json(path) for path in status]
    rows = scan_status.account(checked, left_out, n_echoes=n_echoes)
    bids.write_tsv(table, rows)
    for scan, reason in scan_status.reasons(rows).items():
        job.log.warning("%s is left out: %s", scan, reason)
    job.log.info("%d of %d scans are used", int((rows["used"] == "yes").sum()), len(rows))


if __name__ == "__main__":
    job.run(main)
