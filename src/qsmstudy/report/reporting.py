"""What the QSM consensus asks a paper to report, filled from the scans and the configuration.

The items follow Tables 3 to 5 of the recommendations for clinical brain research
(doi:10.1002/mrm.30006; preprint arXiv:2307.02306), in words of our own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import PrintedColumn, PrintedTable, text

#: Where nothing was found. The author of a paper adds it by hand.
NOT_STATED = "not in the sidecars: add by hand"

#: Where the consensus calls an item essential.
YES, USED, OPTIONAL = "yes", "if used", ""

#: Item, where it is essential, and the sidecars' fields that hold it: BIDS's where it has one.
HARDWARE = (
    ("Field strength [T]", YES, ("MagneticFieldStrength",)),
    ("Vendor", YES, ("Manufacturer",)),
    ("Scanner model", OPTIONAL, ("ManufacturersModelName",)),
    ("Software release", OPTIONAL, ("SoftwareVersions",)),
    ("Coils", OPTIONAL, ("ReceiveCoilName", "ReceiveCoilActiveElements")),
    ("Gradient system", OPTIONAL, ("GradientSetType",)),
)
SEQUENCE = (
    ("Sequence type", YES, ("MRAcquisitionType", "PulseSequenceType", "ScanningSequence")),
    ("Sequence name", OPTIONAL, ("SequenceName", "PulseSequenceDetails")),
    ("Trajectory in k-space", "if not Cartesian", ("KSpaceTrajectory",)),
)
#: Listed after what echo times and grid tell.
SEQUENCE_DETAILS = (
    ("Flip angle [degree]", OPTIONAL, ("FlipAngle",)),
    ("Bandwidth [Hz]", OPTIONAL, ("PixelBandwidth", "ReceiverBandwidth")),
    ("Polarity of the echoes", OPTIONAL, ("ReadoutPolarity",)),
    ("Centre frequency [MHz]", "with several scanners", ("ImagingFrequency",)),
    ("Flow compensation", OPTIONAL, ("FlowCompensation",)),
    (
        "Acceleration",
        YES,
        ("ParallelAcquisitionTechnique", "ParallelReductionFactorInPlane", "MultibandAcceleration"),
    ),
    ("Partial Fourier", USED, ("PartialFourier", "PartialFourierDirection")),
    ("Partial echo", USED, ("PartialEcho",)),
    ("Elliptical shutter of k-space", OPTIONAL, ("EllipticalShutter",)),
    ("Phase stabilization", USED, ("PhaseStabilization",)),
)
_BLANK = ("", "n/a", None)


def acquired(
    sidecars: Iterable[Mapping[str, Any]],
    grid: tuple[Sequence[int], NDArray] | None,
) -> dict[str, Any]:
    """Gather what one scan's files say of its acquisition.

    Parameters
    ----------
    sidecars : iterable of mapping
        JSON sidecars of the echoes; where they differ, the first value stands.
    grid : tuple or None
        Number of voxels per axis, and the affine from voxels to mm, shape (4, 4).

    Returns
    -------
    dict
        BIDS fields, ``EchoTimes`` [s] (ascending), ``Matrix``, ``VoxelSize`` [mm] and
        ``Orientation`` of the slices.
    """
    acquisition: dict[str, Any] = {}
    times = set()
    for content in sidecars:
        acquisition = {**content, **acquisition}
        if isinstance(content.get("EchoTime"), int | float):
            times.add(float(content["EchoTime"]))
    if not acquisition:
        return {}
    acquisition["EchoTimes"] = sorted(times)
    if grid is not None:
        acquisition["Matrix"] = tuple(grid[0])
        acquisition["VoxelSize"] = tuple(nib.affines.voxel_sizes(grid[1]))
        acquisition["Orientation"] = orientation(grid[1])
    return acquisition


def checklist(
    acquisition: Mapping[str, Any],
    *,
    versions: Mapping[str, str],
    pipeline: Sequence[str],
    qc: pd.DataFrame | None,
    criteria: str,
) -> PrintedTable:
    """Print the checklist of the consensus.

    Parameters
    ----------
    acquisition : mapping
        As `acquired` returns it; empty where the study has no scans.
    versions : mapping
        Software to version.
    pipeline : sequence of str
        The steps of the reconstruction, in words.
    qc : DataFrame or None
        Quality table, with the reference of every scan.
    criteria : str
        On which grounds participants were left out.
    """
    rows = [("Hardware", *item) for item in _from_fields(HARDWARE, acquisition)]
    rows += [("Sequence", *item) for item in _from_fields(SEQUENCE, acquisition)]
    rows += [("Sequence", *item) for item in _of_the_grid(acquisition)]
    rows += [("Sequence", *item) for item in _from_fields(SEQUENCE_DETAILS, acquisition)]
    software = ", ".join(f"{k} {versions[k]}" for k in ("qsmstudy", "snakemake") if k in versions)
    rows += [
        ("Analysis", "Software", YES, software),
        ("Analysis", "Algorithms and parameters", YES, " ".join(pipeline) or "none: no scans"),
        (
            "Analysis",
            "Further processing of the maps",
            OPTIONAL,
            "none; maps are NIfTI files in ppm",
        ),
        ("Analysis", "Reference of susceptibility", YES, reference(qc)),
        ("Analysis", "Inclusion and exclusion", YES, criteria),
    ]
    columns = [
        PrintedColumn(label, numeric=False) for label in ("Part", "Item", "Essential", "Value")
    ]
    return PrintedTable(
        "reporting",
        "What the QSM consensus asks to report",
        columns,
        [
            [text(part), text(item), text(essential), text(value or NOT_STATED)]
            for part, item, essential, value in rows
        ],
        (
            "Items after Tables 3 to 5 of doi:10.1002/mrm.30006, in our words. Acquisition as in "
            "the sidecars of one scan.",
        ),
    )


def _from_fields(
    items: Sequence[tuple[str, str, Sequence[str]]], acquisition: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    entries = []
    for item, essential, fields in items:
        values = [acquisition[name] for name in fields if acquisition.get(name) not in _BLANK]
        shown = [str(v) if not isinstance(v, float) else f"{v:.6g}" for v in values]
        entries.append((item, essential, ", ".join(shown)))
    return entries


def _of_the_grid(acquisition: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    times = [1000 * time for time in acquisition.get("EchoTimes", ())]
    echoes = f"{len(times)}: {', '.join(f'{time:.4g}' for time in times)}" if times else ""
    repetition = acquisition.get("RepetitionTime", acquisition.get("RepetitionTimeExcitation"))
    matrix, size = acquisition.get("Matrix", ()), acquisition.get("VoxelSize", ())
    view = " × ".join(f"{n * edge:.4g}" for n, edge in zip(matrix, size, strict=True))
    return [
        ("Orientation of the slices", OPTIONAL, str(acquisition.get("Orientation", ""))),
        ("Echoes: number and times [ms]", YES, echoes),
        (
            "Repetition time [ms]",
            YES,
            f"{1000 * repetition:.4g}" if isinstance(repetition, int | float) else "",
        ),
        ("Matrix", YES, " × ".join(str(int(n)) for n in matrix)),
        ("Field of view [mm]", YES, view),
        ("Voxel size [mm]", YES, " × ".join(f"{edge:.4g}" for edge in size)),
    ]


def orientation(affine: NDArray) -> str:
    """Say how the slices lie: the third axis of the voxels is taken for their normal.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        From voxels to mm, to the right, to the front and upwards.

    Examples
    --------
    >>> orientation(np.diag([-1.0, 1.0, 2.0, 1.0]))
    'axial'
    """
    normal = affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    axis = int(np.argmax(np.abs(normal)))
    tilt = np.degrees(np.arccos(np.clip(np.abs(normal[axis]), 0, 1)))
    plane = ("sagittal", "coronal", "axial")[axis]
    return plane if round(tilt) == 0 else f"{plane}, tilted by {tilt:.0f} degrees"


def reference(qc: pd.DataFrame | None) -> str:
    """State the reference region, and its susceptibility relative to the whole brain.

    Parameters
    ----------
    qc : DataFrame or None
        Quality table.

    Returns
    -------
    str
        Mean and SD over the scans; empty where the table has no reference.
    """
    if qc is None or "reference_region" not in qc or qc["reference_region"].isna().all():
        return ""
    regions = qc["reference_region"].dropna()
    stated = nb.listing([f"{region} ({n})" for region, n in regions.value_counts().items()])
    sentence = f"{stated}, scans in parentheses"
    column = "csf_less_whole_brain_ppm"
    if column in qc and len(fluid := pd.to_numeric(qc[column], errors="coerce").dropna()):
        spread = nb.decimal(fluid.std(), 4) if len(fluid) > 1 else nb.MISSING
        sentence += (
            f"; relative to the whole brain, ventricular CSF is at {nb.decimal(fluid.mean(), 4)} ± "
            f"{spread} ppm (mean ± SD over scans)"
        )
    return sentence
