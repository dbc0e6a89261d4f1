"""Write what makes the maps a BIDS derivative dataset: its description and README."""

from pathlib import Path

from qsmstudy.dataset import bids, dataset_description
from qsmstudy.run import job


def main(
    *, description: Path, readme: Path, ignore: Path, converted: list[Path], title: str,
    source: str,
) -> None:  # fmt: skip
    """Write what makes the maps a BIDS derivative dataset: its description and README."""
    for path in converted:
        bids.write_json(path, dataset_description.converted(title))
    bids.write_json(description, dataset_description.maps_description(title, source=source))
    for path, text in ((readme, dataset_description.README), (ignore, dataset_description.IGNORED)):
        with bids.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.run(main)
