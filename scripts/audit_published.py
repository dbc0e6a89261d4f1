"""Check whether the numbers that a paper prints agree with each other."""

from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.paper.audit.checks import audit
from qsmstudy.run import job


def main(*, published: Path, table: Path) -> None:
    """Check whether the numbers that a paper prints agree with each other."""
    result = audit(published)
    bids.write_tsv(table, result)
    counts = result["verdict"].value_counts()
    job.log.info("%d checks: %s", len(result), ", ".join(f"{n} {v}" for v, n in counts.items()))
    for row in result[result["verdict"] == "inconsistent"].itertuples():
        job.log.info("%s", row.sentence)


if __name__ == "__main__":
    job.run(main)
