"""Draw one scan's magnitude, mask, local field, susceptibility and labels on one page."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.figures import maps
from qsmstudy.figures.options import DrawMosaic
from qsmstudy.run import job
from qsmstudy.study.study import Study


def main(
    *, combined: Path, mask: Path, local_field: Path, chi: Path, label_table: Path,
    labels: Path | None = None, template_outline: Path | None = None, mosaic: Path, study: Study,
    options: DrawMosaic,
) -> None:  # fmt: skip
    """Draw one scan's magnitude, mask, local field, susceptibility and labels."""
    susceptibility = images.load(chi)
    figure = maps.plot_mosaic(
        images.load(combined, like=susceptibility),
        images.load(mask, like=susceptibility, dtype=bool),
        images.load(local_field, like=susceptibility),
        susceptibility,
        None if labels is None else images.load(labels, like=susceptibility, dtype=np.int16),
        bids.read_tsv(label_table, columns=["index", "roi"]).dropna(subset="roi"),
        outline=None
        if template_outline is None
        else images.load(template_outline, like=susceptibility, dtype=bool),
        nuclei=study.nuclei,
        title=mosaic.stem,
        chi_window_ppm=options.chi_window_ppm,
        field_limit_hz=options.field_limit_hz,
    )
    maps.save_palette_png(figure, mosaic)


if __name__ == "__main__":
    job.run(main)
