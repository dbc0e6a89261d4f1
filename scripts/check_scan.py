"""Read one scan's files whole and record whether they can be used, and if not, why."""

from pathlib import Path

import numpy as np

from qsmstudy.dataset import bids, images, protocol, scan_status
from qsmstudy.errors import StudyError
from qsmstudy.recon import extraction, field_fit
from qsmstudy.recon.options import ReadSignal
from qsmstudy.run import job


def main(
    *, magnitude: list[Path], phase: list[Path], labels: list[Path], own_mask: Path | None = None,
    lesion: Path | None = None, status: Path, scan: str, options: ReadSignal,
) -> None:  # fmt: skip
    """Read one scan's files whole and record whether they can be used, and if not, why."""
    content: dict = {"Scan": scan, "Usable": False, "Echoes": None, "Reason": None}
    try:
        echoes, _ = images.load_signal(magnitude, phase)
        content["Echoes"] = echoes.values.shape[3]
        protocol.read_protocol(
            magnitude, phase, n_echoes=echoes.values.shape[3],
            echo_times=options.echo_times, field_strength=options.field_strength,
        )  # fmt: skip
        name = magnitude[0].name
        combined = field_fit.combine_magnitude(echoes.values, name=name)
        field_fit.signal_mask(combined, fraction=options.signal_fraction, name=name)
        grid = echoes._replace(values=combined)
        for path in labels:
            images.load(path, like=grid, dtype=np.int32)
        if lesion is not None:
            images.load(lesion, like=grid, dtype=bool)
        if own_mask is not None:
            extraction.check_own_mask(images.load(own_mask, like=grid).values, name=own_mask.name)
        content["Usable"] = True
    except StudyError as error:
        beside = [*labels, *filter(None, (own_mask, lesion))]
        content["Reason"] = scan_status.without_folders(str(error), [*magnitude, *phase, *beside])
        job.log.warning("%s cannot be used: %s", scan, error)
    bids.write_json(status, content)


if __name__ == "__main__":
    job.run(main)
