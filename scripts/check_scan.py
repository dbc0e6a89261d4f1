"""Read one scan's files whole and record whether they can be used, and if not, why."""

from pathlib import Path

import numpy as np

from qsmstudy import bids, images, job, protocol, scans
from qsmstudy.errors import StudyError
from qsmstudy.recon import field_fit


def main(
    *,
    magnitude: list[Path],
    phase: list[Path],
    labels: list[Path],
    status: Path,
    scan: str,
    echo_times: list | None,
    field_strength: float | None,
    signal_fraction: float,
) -> None:
    """Read one scan's files whole and record whether they can be used, and if not, why."""
    content: dict = {"Scan": scan, "Usable": False, "Echoes": None, "Reason": None}
    try:
        echoes, _ = images.load_signal(magnitude, phase)
        content["Echoes"] = echoes.values.shape[3]
        protocol.read_protocol(
            magnitude, phase, n_echoes=echoes.values.shape[3],
            echo_times=echo_times, field_strength=field_strength,
        )  # fmt: skip
        name = magnitude[0].name
        combined = field_fit.combine_magnitude(echoes.values, name=name)
        field_fit.signal_mask(combined, fraction=signal_fraction, name=name)
        for path in labels:
            images.load(path, like=echoes._replace(values=combined), dtype=np.int32)
        content["Usable"] = True
    except StudyError as error:
        content["Reason"] = scans.without_folders(str(error), [*magnitude, *phase, *labels])
        job.log.warning("%s cannot be used: %s", scan, error)
    bids.write_json(status, content)


if __name__ == "__main__":
    job.run(main)
