"""Pack one scan's map, magnitude and labels for the report's viewer."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.report import viewer
from qsmstudy.report.page_options import PackViewer
from qsmstudy.run import job


def main(
    *, chi: Path, combined: Path, labels: list[Path], label_tables: list[Path], packed: Path,
    raters: list, options: PackViewer,
) -> None:  # fmt: skip
    """Pack one scan's map, magnitude and labels for the report's viewer."""
    susceptibility = images.load(chi)
    drawn = {
        rater: images.load(path, like=susceptibility, dtype=np.int16)
        for rater, path in zip(raters, labels, strict=True)
    }
    content = viewer.pack(
        susceptibility,
        images.load(combined, like=susceptibility),
        drawn,
        {
            rater: bids.read_tsv(path, columns=["index", "name", "roi"])
            for rater, path in zip(raters, label_tables, strict=True)
        },
        options=options,
    )
    viewer.write(packed, content, source=chi)
    job.log.info("%s: %d kB", packed, packed.stat().st_size // 1000)


if __name__ == "__main__":
    job.run(main)
