"""Write what makes the maps a BIDS derivative dataset: its description and README."""

from pathlib import Path

from qsmstudy import bids, derivative, job


def main(
    *,
    description: Path,
    readme: Path,
    ignore: Path,
    converted: list[Path],
    title: str,
    source: str,
) -> None:
    """Write what makes the maps a BIDS derivative dataset: its description and README."""
    for path in converted:
        bids.write_json(path, derivative.converted(title))
    bids.write_json(description, derivative.description(title, source=source))
    for path, text in ((readme, derivative.README), (ignore, derivative.IGNORED)):
        with bids.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.run(main)
