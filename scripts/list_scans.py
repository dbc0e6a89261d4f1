"""Gather which scans are used and why others are left out."""

from pathlib import Path

from qsmstudy import accounting, bids, job


def main(*, status: list[Path], table: Path, left_out: dict, n_echoes: int | str) -> None:
    """Gather which scans are used and why others are left out."""
    checked = [bids.read_json(path) for path in status]
    rows = accounting.account(checked, left_out, n_echoes=n_echoes)
    bids.write_tsv(table, rows)
    for scan, reason in accounting.reasons(rows).items():
        job.log.warning("%s is left out: %s", scan, reason)
    job.log.info("%d of %d scans are used", int((rows["used"] == "yes").sum()), len(rows))


if __name__ == "__main__":
    job.run(main)
