"""Fail if a scan was left out, so that no exit status of 0 hides it."""

from pathlib import Path

from qsmstudy.dataset import bids, scan_status
from qsmstudy.errors import StudyError
from qsmstudy.run import job


def main(*, scans: Path, confirmation: Path) -> None:
    """Fail if a scan was left out, so that no exit status of 0 hides it."""
    rows = bids.read_tsv(scans, columns=["scan", "used", "reason"])
    if reasons := scan_status.reasons(rows):
        lines = "\n".join(f"- {scan}: {reason}" for scan, reason in reasons.items())
        raise StudyError(
            f"{len(reasons)} of {len(rows)} scans are left out of the results:\n{lines}\n"
            "Everything else is made. Mend them and run again; or accept it by naming those to "
            "use (participant_label)."
        )
    bids.write_json(confirmation, {"Scans": len(rows), "LeftOut": 0})


if __name__ == "__main__":
    job.run(main)
