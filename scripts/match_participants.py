"""Keep the participants who have a scan that can be used."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job


def main(*, participants: Path, scans: Path, matched: Path) -> None:
    """Keep the participants who have a scan that can be used."""
    listed = bids.read_tsv(participants, columns=["participant_id"])
    used = bids.read_tsv(scans, columns=["participant_id", "used"]).query("used == 'yes'")
    kept = listed[listed["participant_id"].isin(used["participant_id"])]
    bids.write_tsv(matched, kept)
    job.log.info("%d of %d listed participants have a usable scan", len(kept), len(listed))


if __name__ == "__main__":
    job.run(main)
