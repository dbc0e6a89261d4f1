"""How far the reconstruction is from the simulated truth: inversion alone, and the whole chain.

Reads a results folder of the simulated study; nothing here feeds the analysis.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from solvers import options

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.recon import inversion, reference
from qsmstudy.recon.inputs import Scan
from qsmstudy.simulate.field import dipole_field
from qsmstudy.truth.measurements import regress

ROOT = Path(__file__).resolve().parents[1]
TILT_DEGREES = 20.0


def participants(results: Path) -> list[str]:
    """Return the participants whose maps are there."""
    maps = results.glob("derivatives/qsm/sub-*/anat/*Chimap.nii.gz")
    return sorted(path.name.split("_")[0] for path in maps)


def load(results: Path, sub: str) -> tuple[Scan, NDArray, NDArray, float]:
    """Return a scan with the true mask and local field, the true map and labels, and B0 [T]."""
    anat = results / "derivatives" / "qsm" / sub / "anat"
    truth = results / "truth"
    chi = images.load(truth / f"{sub}_chi.nii.gz")
    mask = images.load(truth / f"{sub}_mask.nii.gz", dtype=bool).values
    noise = images.load(anat / f"{sub}_desc-noise_fieldmap.nii.gz").values
    fluid = reference.fluid_mask(
        images.load(anat / f"{sub}_R2starmap.nii.gz").values, mask,
        fitted=noise > 0, voxel_size=chi.voxel_size, r2star_threshold=5,
    )  # fmt: skip
    scan = Scan(
        images.load(truth / f"{sub}_localfield.nii.gz").values,
        images.load(anat / f"{sub}_desc-combined_magnitude.nii.gz").values,
        noise, mask, fluid, chi.voxel_size, physics.b0_direction(chi.affine),
    )  # fmt: skip
    tesla = bids.sidecar_number(anat / f"{sub}_desc-total_fieldmap.nii.gz", "MagneticFieldStrength")
    return scan, chi.values, images.load(truth / f"{sub}_dseg.nii.gz", dtype=int).values, tesla


def nuclei(values: NDArray, labels: NDArray, mask: NDArray) -> NDArray:
    """Return the mean of every label, where the map is defined."""
    return np.array(
        [values[(labels == n) & mask].mean(dtype=float) for n in np.unique(labels[labels > 0])]
    )


def invert(scan: Scan, tesla: float, *overlays: str, **changes) -> tuple[NDArray, NDArray]:
    """Return chi [ppm], zero in the fluid, and its mask; options as `solvers.options`."""
    solution, mask, *_ = inversion.invert_dipole(
        scan, options=options(*overlays, **changes), echo_spacing=0.00615, field_strength=tesla
    )
    return solution.values, mask


def forward_inverse(results: Path, sub: str) -> list[dict[str, object]]:
    """Invert the true local field, computed on the fine grid, by every method."""
    scan, chi, labels, tesla = load(results, sub)
    rows = []
    for name, overlays, changes in [
        ("medi, default", (), {}),
        ("medi, consensus.yaml", ("consensus",), {}),
        ("medi, no filter", (), {"smv_radius_mm": 0.0}),
        ("tkd", (), {"method": "tkd"}),
        ("tikhonov", (), {"method": "tikhonov"}),
    ]:
        values, mask = invert(scan, tesla, *overlays, **changes)
        measured, true = nuclei(values, labels, mask), nuclei(chi, labels, mask)
        gain, offset, _ = regress(true, measured)
        rows.append(
            {"participant": sub, "method": name, "slope": gain, "intercept_ppb": 1e3 * offset,
             "worst_ppb": 1e3 * np.abs(measured - true).max()}
        )  # fmt: skip
    return rows


def tilt(results: Path, sub: str, *overlays: str) -> dict[str, object]:
    """Invert the same head straight and tilted by 20 degrees about its left-right axis."""
    scan, chi, labels, tesla = load(results, sub)
    found = []
    for angle in (0.0, TILT_DEGREES):
        direction = np.array([0.0, np.sin(np.radians(angle)), np.cos(np.radians(angle))])
        field = dipole_field(chi, voxel_size=scan.voxel_size, b0_direction=direction)
        hertz = np.where(scan.mask, physics.ppm_to_hz(field, field_strength=tesla), 0)
        turned = scan._replace(local_field=hertz.astype(np.float32), b0_direction=direction)
        values, mask = invert(turned, tesla, *overlays)
        found.append(nuclei(values, labels, mask))
    change = 1e3 * np.abs(found[1] - found[0]).max()
    return {
        "participant": sub,
        "options": " + ".join(("default", *overlays)),
        "largest_change_ppb": change,
    }


def chain(results: Path, *, truth: Path) -> pd.DataFrame:
    """Regress measured on true means over the true nuclei, per nucleus over participants."""
    rows = []
    for sub in participants(results):
        labels = images.load(truth / f"{sub}_dseg.nii.gz", dtype=int).values
        values = images.load(
            results / "derivatives" / "qsm" / sub / "anat" / f"{sub}_Chimap.nii.gz"
        ).values
        mask = values != 0
        true = nuclei(images.load(truth / f"{sub}_chi.nii.gz").values, labels, mask)
        rows += [
            {"participant": sub, "label": label, "true": t, "measured": m}
            for label, t, m in zip(
                np.unique(labels[labels > 0]), true, nuclei(values, labels, mask), strict=True
            )
        ]
    table = pd.DataFrame(rows)
    names = bids.read_tsv(ROOT / "resources" / "labels.tsv").set_index("index")
    return pd.DataFrame(
        [
            {
                "nucleus": f"{names.loc[label, 'hemisphere']} {names.loc[label, 'roi']}",
                "n": len(part), "gain": fit[0], "offset_ppb": 1e3 * fit[1],
                "error_sd_ppb": 1e3 * fit[2],
                "mean_error_ppb": 1e3 * (part["measured"] - part["true"]).mean(),
            }
            for label, part in table.groupby("label")
            for fit in [regress(part["true"].to_numpy(), part["measured"].to_numpy())]
        ]
    )  # fmt: skip
