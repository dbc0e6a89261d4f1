"""A small head, its echoes, and the ways in which scanners and converters store them."""

import json

import nibabel as nib
import numpy as np

from qsmstudy.recon import fourier

SHAPE, SIZE = (56, 60, 44), (3.6, 3.6, 3.6)
TIMES = (0.006, 0.012, 0.018)
NUCLEUS = (15, 5, 0)  # its centre [mm from the middle]
AFFINE = np.diag([*SIZE, 1.0])


def head():
    """Return brain, magnitude and phase [rad] of a head: brain, dark skull, bright scalp."""
    axes = np.meshgrid(
        *[(np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SIZE, strict=True)],
        indexing="ij",
    )

    def within(margin):
        radii = (65.0, 78.0, 55.0)
        return sum((a / (r + margin)) ** 2 for a, r in zip(axes, radii, strict=True)) < 1

    brain = within(0)
    amplitude = 1000.0 * brain + 60.0 * (within(8) & ~brain) + 800.0 * (within(14) & ~within(8))
    nucleus = sum((a - c) ** 2 for a, c in zip(axes, NUCLEUS, strict=True)) < 9**2
    fluid = sum((a - c) ** 2 for a, c in zip(axes, (0, -10, 0), strict=True)) < 14**2
    kernel = fourier.dipole_kernel(SHAPE, voxel_size=SIZE, b0_direction=(0, 0, 1))
    hertz = 127.7 * 0.15 * fourier.convolve(nucleus.astype(np.float32), kernel)
    hertz += 15 + 0.3 * axes[0] - 0.2 * axes[2]
    rate = np.where(fluid, 1.0, np.where(nucleus, 40.0, 20.0))[..., None]
    times = np.array(TIMES)
    signal = amplitude[..., None] * np.exp(-rate * times)
    signal = signal * np.exp(1j * (2 * np.pi * hertz[..., None] * times + 0.8))
    rng = np.random.default_rng(4)
    signal += 8 * (rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape))
    return brain, np.abs(signal), np.angle(signal)


BRAIN, MAGNITUDE, PHASE = head()


def _save(path, values, affine, sidecar, slope=1.0, intercept=0.0):
    """Write stored values as they are, with a slope and an intercept in the header."""
    image = nib.Nifti1Image(values, affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.header.set_slope_inter(slope, intercept)
    nib.save(image, path)
    path.with_name(path.name.split(".")[0] + ".json").write_text(json.dumps(sidecar))


def _steps(phase, low, n):
    """Return phase as integers, `n` steps a turn from `low`; -pi is the lowest."""
    return (np.floor((phase + np.pi) * n / (2 * np.pi)) % n + low).astype(np.int16)


def _per_echo(root, part, values, *, end=".nii.gz", affine=AFFINE, sidecar=(), **scale):
    for echo in range(values.shape[3]):
        _save(
            root / f"sub-01/anat/sub-01_echo-{echo + 1}_part-{part}_MEGRE{end}",
            values[..., echo], affine,
            {"EchoTime": TIMES[echo], "MagneticFieldStrength": 3.0} | dict(sidecar), **scale,
        )  # fmt: skip


def unrounded(root):
    """No scanner's way: the values as they are, 3-D per echo."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.float32))
    _per_echo(root, "phase", PHASE.astype(np.float32))


def siemens(root):
    """Siemens by dcm2niix: 12 bits with slope 2 and intercept -4096, 3-D per echo."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.int16))
    _per_echo(root, "phase", _steps(PHASE, 0, 4096), slope=2.0, intercept=-4096.0)


def siemens_without_slope(root):
    """Siemens with the slope lost: 0 to 4095, uncompressed."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.int16), end=".nii")
    _per_echo(root, "phase", _steps(PHASE, 0, 4096), end=".nii")


def siemens_xa(root):
    """Siemens -4096 to 4095, as newer converters write it."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.int16))
    _per_echo(root, "phase", _steps(PHASE, -4096, 8192), sidecar={"Units": "arbitrary"})


def philips(root):
    """Philips: real-world radians by slope and intercept, both parts of unsigned 12 bits."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.uint16), slope=2.7)
    _per_echo(
        root, "phase", _steps(PHASE, 0, 4096).astype(np.uint16),
        slope=2 * np.pi / 4096, intercept=-np.pi,
    )  # fmt: skip


def philips_milliradians(root):
    """Philips PAR/REC by older converters: whole milliradians."""
    _per_echo(root, "mag", MAGNITUDE.astype(np.float32))
    _per_echo(root, "phase", np.rint(1000 * PHASE).astype(np.int16))


def ge(root):
    """GE: real and imaginary part, every other slice turned by pi; its phase falls (see SIGN)."""
    chop = np.where(np.arange(SHAPE[2]) % 2, -1, 1)[:, np.newaxis]
    signal = MAGNITUDE * np.exp(-1j * PHASE) * chop
    for part, values in (("real", signal.real), ("imag", signal.imag)):
        _per_echo(root, part, np.rint(values * 10).astype(np.int16), slope=0.1)


def four_dimensional(root):
    """One 4-D file per part, echo times as a list in a sidecar of the whole dataset."""
    for part, values in (("mag", MAGNITUDE), ("phase", PHASE)):
        path = root / f"sub-01/anat/sub-01_part-{part}_MEGRE.nii.gz"
        _save(path, values.astype(np.float32), AFFINE, {})
    common = {"EchoTime": list(TIMES), "MagneticFieldStrength": 3.0}
    (root / "MEGRE.json").write_text(json.dumps(common))


def oblique(root):
    """A slab tilted by 25 degrees and stored left to right, as the affine says."""
    tilt = np.radians(25)
    rotation = [
        [-1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]
    ]  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3] = np.array(rotation) * SIZE
    affine[:3, 3] = (80, -60, -90)
    _per_echo(root, "mag", MAGNITUDE.astype(np.float32), affine=affine)
    _per_echo(root, "phase", PHASE.astype(np.float32), affine=affine)


#: Ways of storing a scan, and how far a voxel's field may be off by rounding [Hz].
VENDORS = {
    siemens: 0.08, siemens_without_slope: 0.08, siemens_xa: 0.05, philips: 0.08,
    philips_milliradians: 0.03, ge: 0.02, four_dimensional: 1e-4, oblique: 1e-4,
}  # fmt: skip
#: Those whose phase falls with the field.
SIGN = {ge: -1}
