"""Multi-echo gradient-echo signal: tissue to magnitude and phase as a scanner stores them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from qsmstudy.dataset import bids
from qsmstudy.physics import GYROMAGNETIC_RATIO
from qsmstudy.simulate.anatomy import Grid, NucleusBlock
from qsmstudy.simulate.options import SimulateScan

#: Integer that stands for a phase of pi.
PHASE_STEPS = 4096
#: Stored magnitude of white matter at the first echo.
_WHITE_LEVEL = 1000.0


def spoiled_signal(
    proton_density: float, t1: float, *, repetition_time: float, flip_angle: float
) -> float:
    """Return the steady-state signal of a spoiled gradient echo at TE = 0.

    Parameters
    ----------
    proton_density : float
        Relative to water.
    t1 : float
        Longitudinal relaxation time [s].
    repetition_time : float
        TR [s].
    flip_angle : float
        Excitation [degree].

    References
    ----------
    Ernst RR, Anderson WA. Rev Sci Instrum 1966;37:93-102. doi:10.1063/1.1719961
    """
    angle = np.deg2rad(flip_angle)
    recovery = np.exp(-repetition_time / t1)
    return float(proton_density * np.sin(angle) * (1 - recovery) / (1 - np.cos(angle) * recovery))


def tissue_maps(
    fractions: Mapping[str, NDArray],
    blocks: Sequence[NucleusBlock],
    nucleus_fractions: Sequence[NDArray],
    total: NDArray,
    *,
    chi_nuclei: Sequence[float],
    protocol: SimulateScan,
) -> dict[str, NDArray[np.float32]]:
    """Mix the tissues of every fine voxel.

    Parameters
    ----------
    fractions : mapping of str to ndarray
        Volume fractions without nuclei.
    blocks, nucleus_fractions : sequence
        Nuclei and their volume fractions on their blocks.
    total : ndarray
        Fraction that belongs to any nucleus.
    chi_nuclei : sequence of float
        Susceptibility of the nuclei [ppm].
    protocol : SimulateScan
        Tissues, repetition time and flip angle.

    Returns
    -------
    dict of str to ndarray
        ``chi`` [ppm], ``filled`` (fraction that is not air), ``signal`` at TE = 0 and
        ``r2star`` [1/s], weighted by signal.

    Notes
    -----
    Nuclei have gray matter's proton density and T1, and ``R2* = R2*(gray) + slope * chi``:
    at 3 T the reversible rate of paramagnetic sources was measured as 137 1/s per ppm (Shin
    2021), near the 130 1/s per ppm that iron-based relations of R2* and chi imply.

    References
    ----------
    Shin HG et al. NeuroImage 2021;240:118371. doi:10.1016/j.neuroimage.2021.118371
    Langkammer C et al. Radiology 2010;257:455-462. doi:10.1148/radiol.10100495
    """
    shape = total.shape
    chi, filled, signal, decay = (np.zeros(shape, dtype=np.float32) for _ in range(4))

    def add(where: Any, fraction: NDArray, chi_ppm: float, r2star: float, s0: float) -> None:
        chi[where] += np.float32(chi_ppm) * fraction
        filled[where] += fraction
        signal[where] += np.float32(s0) * fraction
        decay[where] += np.float32(s0 * r2star) * fraction

    tissues = protocol.tissues.by_name
    level = {
        name: spoiled_signal(
            tissue.proton_density,
            tissue.t1,
            repetition_time=protocol.repetition_time,
            flip_angle=protocol.flip_angle,
        )
        for name, tissue in tissues.items()
    }
    rest = 1 - total
    for name, tissue in tissues.items():
        add(..., fractions[name] * rest, tissue.chi_ppm, tissue.r2star, level[name])
    for nucleus, fraction, value in zip(blocks, nucleus_fractions, chi_nuclei, strict=True):
        r2star = tissues["gray"].r2star + protocol.r2star_per_ppm * max(value, 0.0)
        add(nucleus.block, fraction, value, r2star, level["gray"])
    decay /= np.maximum(signal, np.float32(1e-6))
    return {"chi": chi, "filled": filled, "signal": signal, "r2star": decay}


def echoes(
    grid: Grid,
    maps: Mapping[str, NDArray],
    field: NDArray,
    offset: NDArray,
    *,
    echo_times: Sequence[float],
    noise_sd: float,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.complex64]]:
    """Yield the complex image of every echo.

    Parameters
    ----------
    grid : Grid
        The fine grid.
    maps : mapping
        ``signal`` at TE = 0 and ``r2star`` [1/s] on the slab of the fine grid.
    field : ndarray
        Field [Hz] on the slab of the fine grid.
    offset : ndarray
        Receive phase [rad] there.
    echo_times : sequence of float
        Echo times [s].
    noise_sd : float
        SD of real and imaginary noise, in the unit of ``signal``.
    rng : numpy.random.Generator
        Source of the noise.

    Yields
    ------
    ndarray, shape of the scan, dtype complex64
        Signal averaged over each voxel's fine slices, plus noise. Phase grows with the field.

    Notes
    -----
    Dephasing inside a fine voxel enters as ``exp(-(pi TE d)^2 / 6)`` per axis, with d the
    field's difference across it [Hz]: the sinc of a linear gradient to second order.
    """
    spread = sum(np.square(np.gradient(field, axis=axis)) for axis in range(3))
    spread *= np.float32(np.pi**2 / 6)
    for te in echo_times:
        te32 = np.float32(te)
        magnitude = maps["signal"] * np.exp(-te32 * maps["r2star"] - te32**2 * spread)
        phase = np.float32(2 * np.pi * te) * field + offset
        image = np.empty(grid.matrix, dtype=np.complex64)
        image.real = noise_sd * rng.standard_normal(grid.matrix, dtype=np.float32)
        image.imag = noise_sd * rng.standard_normal(grid.matrix, dtype=np.float32)
        columns = grid.columns
        image.real[columns] += grid.average(magnitude * np.cos(phase))
        image.imag[columns] += grid.average(magnitude * np.sin(phase))
        yield image


def quantise(image: NDArray, *, scale: float) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return magnitude and phase as the integers that a scanner stores.

    Parameters
    ----------
    image : ndarray of complex
        Complex image.
    scale : float
        Stored magnitude per unit of signal.

    Returns
    -------
    magnitude, phase : ndarray of int16
        Magnitude from 0; phase from -4096 to 4095, in steps of pi / 4096.
    """
    magnitude = np.minimum(np.rint(np.abs(image) * np.float32(scale)), 32767).astype(np.int16)
    phase = np.rint(np.angle(image) * np.float32(PHASE_STEPS / np.pi)).astype(np.int16)
    phase[phase == PHASE_STEPS] = -PHASE_STEPS
    return magnitude, phase


def magnitude_scale(white_signal: float) -> float:
    """Return the stored magnitude per unit of signal by white matter's first echo."""
    return _WHITE_LEVEL / white_signal


def save_integers(
    path: Path, values: NDArray[np.int16], affine: NDArray, *, slope: float, sidecar: Mapping
) -> None:
    """Write an integer volume with a slope, and its sidecar; equal inputs give equal bytes.

    Parameters
    ----------
    path : Path
        ``*.nii.gz``.
    values : ndarray of int16, shape (X, Y, Z)
        Stored integers.
    affine : ndarray, shape (4, 4)
        Voxel-to-scanner transform [mm].
    slope : float
        Unit per integer step.
    sidecar : mapping
        BIDS metadata.
    """
    image = nib.Nifti1Image(values, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_slope_inter(slope, 0)
    with bids.replacing(Path(path)) as temporary:
        nib.save(image, temporary)
    bids.write_json(bids.sidecar_path(path), sidecar)


def save_echo(
    path: Path, values: NDArray[np.int16], affine: NDArray, *, part: str, echo: int,
    options: SimulateScan,
) -> None:  # fmt: skip
    """Write one image of a scan, and its sidecar; arguments as of `save_integers` and `sidecar`."""
    content = sidecar(
        part, echo, echo_time=options.echo_times[echo - 1],
        repetition_time=options.repetition_time, flip_angle=options.flip_angle,
        field_strength=options.field_strength,
    )  # fmt: skip
    slope = 1.0 if part == "mag" else np.pi / PHASE_STEPS
    save_integers(path, values, affine, slope=slope, sidecar=content)


def sidecar(
    part: str,
    echo: int,
    *,
    echo_time: float,
    repetition_time: float,
    flip_angle: float,
    field_strength: float,
) -> dict[str, Any]:
    """Return the BIDS metadata of one image of a scan.

    Parameters
    ----------
    part : str
        ``mag`` or ``phase``.
    echo : int
        Echo number, from 1.
    echo_time, repetition_time : float
        [s].
    flip_angle : float
        [degree].
    field_strength : float
        [T].
    """
    kind = "M" if part == "mag" else "P"
    return {
        "Manufacturer": "Simulated",
        "ManufacturersModelName": "qsmstudy",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": "n/a",
        "InstitutionName": "n/a",
        "StationName": "n/a",
        "MagneticFieldStrength": field_strength,
        "ImagingFrequency": round(GYROMAGNETIC_RATIO * field_strength * 1e-6, 6),
        "ReceiveCoilName": "simulated, uniform to 20 %",
        "MRAcquisitionType": "3D",
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "ScanOptions": "n/a",
        "SequenceName": "multi-echo spoiled gradient echo",
        "PulseSequenceType": "Multi-echo spoiled gradient echo",
        "EchoNumber": echo,
        "EchoTime": echo_time,
        "RepetitionTimeExcitation": repetition_time,
        "RepetitionTime": repetition_time,
        "FlipAngle": flip_angle,
        "PulseSequenceDetails": "simulated steady state, see the dataset's README",
        "SpoilingState": True,
        "SpoilingType": "RF",
        "SpoilingRFPhaseIncrement": 50,
        "NonlinearGradientCorrection": False,
        "ImageType": ["DERIVED", "SIMULATED", kind],
        "Units": "arbitrary" if part == "mag" else "rad",
    }
