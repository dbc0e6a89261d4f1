"""Label one scan by an atlas registered to its magnitude and susceptibility."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.regions.atlas import labelling, registration
from qsmstudy.regions.options import RegisterAtlas
from qsmstudy.run import job


def main(
    *, combined: Path, chi: Path, mask: Path, template: Path, template_chi: Path | None = None,
    template_labels: Path, template_table: Path, label_table: Path, labels: Path, outline: Path,
    options: RegisterAtlas,
) -> None:  # fmt: skip
    """Label one scan by an atlas registered to its magnitude and susceptibility."""
    chimap = images.load(chi)
    brain = images.load(mask, like=chimap, dtype=bool)
    magnitude = images.load(combined, like=chimap)
    magnitude.values[~brain.values] = 0
    structure = images.load(template)
    susceptibility = None if template_chi is None else images.load(template_chi)
    atlas = labelling.recoded(
        images.load(template_labels, dtype=np.int32),
        bids.read_tsv(template_table, columns=["index", "roi", "hemisphere"]),
        bids.read_tsv(label_table, columns=["index", "roi", "hemisphere"]),
        name=str(template_labels),
    )
    found = registration.register(
        registration.Contrasts(magnitude, chimap),
        registration.Contrasts(structure, susceptibility),
        atlas,
        mask=brain,
        options=options,
    )
    placed = registration.transfer_labels(atlas, found, like=chimap)
    placed = labelling.core(placed, affine=chimap.affine, core_mm=options.core_mm)
    sources = [combined, chi, mask, template, template_chi, template_labels]
    sidecar = {
        "Description": "Labels of the atlas, registered to the scan; no rater has seen them",
        "SpatialReference": "orig",
        "Manual": False,
        "Sources": [path.name for path in sources if path is not None],
        "Registration": found.similarity,
    }
    images.save(labels, placed, chimap.affine, sidecar=sidecar, dtype=np.uint8)
    warped = registration.transfer(structure, found, like=chimap)
    edge = labelling.bright(warped, inside=brain.values)
    images.save(outline, edge, chimap.affine, dtype=np.uint8)
    job.log.info(
        "%s: %s", labels.name, ", ".join(f"{k} {v:.3g}" for k, v in found.similarity.items())
    )


if __name__ == "__main__":
    job.run(main)
