"""Convert one scan's DICOM files into the images of a BIDS dataset."""

import tempfile
from pathlib import Path

from qsmstudy.dataset import dicom
from qsmstudy.dataset.dicom_mapping import ScanDicoms
from qsmstudy.run import job


def main(
    *, magnitude: list[Path], phase: list[Path], scan: str, folder: str, series: str, state: list
) -> None:
    """Convert one scan's DICOM files into the images of a BIDS dataset."""
    source = ScanDicoms(scan, Path(folder), series)
    with tempfile.TemporaryDirectory(dir=magnitude[0].parent, prefix=".dicom") as work:
        converted = dicom.run_dcm2niix(source.folder, Path(work))
        chosen = dicom.sort_echoes(converted, source, n_echoes=len(magnitude))
        dicom.write_echoes(chosen, magnitude=magnitude, phase=phase)
    job.log.info("%s: %d files, %s", scan, len(state), ", ".join(sorted(chosen)))


if __name__ == "__main__":
    job.run(main)
