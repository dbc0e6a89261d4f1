"""Scan one simulated participant: magnitude and phase echoes, raters' labels, true maps."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images
from qsmstudy.run import job
from qsmstudy.simulate import dataset, scan, signal
from qsmstudy.simulate.options import SimulateScan


def main(
    *, truth: Path, anatomy: Path, magnitude: list[Path], phase: list[Path], rater_a: Path,
    rater_b: Path, nuclei: Path, true_chi: Path, true_labels: Path, true_mask: Path,
    true_local_field: Path, options: SimulateScan,
) -> None:  # fmt: skip
    """Run the forward model of one participant and write its BIDS files."""
    person = bids.read_json(truth)
    phantom = scan.build_phantom(person, bids.read_json(anatomy), options)
    affine = phantom.grid.affine
    for name, path in (("A", rater_a), ("B", rater_b)):
        sidecar = {"Description": f"Labels of simulated rater {name}", "SpatialReference": "orig"}
        images.save(path, phantom.raters[name], affine, sidecar=sidecar, dtype=np.uint8)
    bids.write_tsv(nuclei, dataset.nuclei_table(person, phantom.chi_nuclei, phantom.label_means))
    images.save(true_labels, phantom.labels, affine, dtype=np.uint8)
    images.save(true_mask, phantom.mask, affine, dtype=np.uint8)
    images.save(true_chi, scan.true_chi(phantom), affine)
    images.save(true_local_field, scan.local_field(phantom, options), affine)
    stored = scan.acquire(phantom, options, person)
    for echo, (magnitudes, phases) in enumerate(stored, start=1):
        for part, values, path in (
            ("mag", magnitudes, magnitude[echo - 1]), ("phase", phases, phase[echo - 1]),
        ):  # fmt: skip
            signal.save_echo(path, values, affine, part=part, echo=echo, options=options)
    job.log.info("%s: brain %d voxels", person["participant_id"], int(phantom.mask.sum()))


if __name__ == "__main__":
    job.run(main)
