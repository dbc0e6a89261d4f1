"""One participant's scan from truth to images: anatomy, field, signal, raters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.simulate import anatomy, matching, nuclei, raters, signal, template
from qsmstudy.simulate.draws import generator, smooth_field
from qsmstudy.simulate.field import dipole_field, shim
from qsmstudy.simulate.options import SimulateScan


@dataclass(frozen=True)
class Phantom:
    """One participant on the fine grid.

    Attributes
    ----------
    grid : anatomy.Grid
        The fine grid.
    maps : dict of str to ndarray
        ``chi``, ``filled``, ``signal``, ``r2star`` as `signal.tissue_maps` returns them.
    mask : ndarray of bool, shape of the scan
        True brain: gray and white matter and the fluid within and just around them.
    labels : ndarray of uint8, shape of the scan
        True nuclei.
    raters : dict of str to ndarray of uint8, shape of the scan
        The raters' labels.
    chi_nuclei : ndarray, shape (14,)
        Susceptibility of the nuclei [ppm].
    label_means : dict of str to ndarray, shape (14,)
        Mean of the true map under each label of a rater [ppm].
    """

    grid: anatomy.Grid
    maps: dict[str, NDArray]
    mask: NDArray
    labels: NDArray
    raters: dict[str, NDArray]
    chi_nuclei: NDArray
    label_means: dict[str, NDArray]


def build_phantom(
    truth: Mapping[str, Any], ellipsoids: Mapping[str, Any], protocol: SimulateScan
) -> Phantom:
    """Build a participant's head.

    Parameters
    ----------
    truth : mapping
        Content of the participant's truth file. Its nuclei have either ``chi_ppm``, their
        susceptibility, or ``measured_ppm``, rater to the wanted mean of the true map under the
        rater's label (see `matching.match`).
    ellipsoids : mapping
        Parsed ``nuclei_ellipsoids.json``.
    protocol : SimulateScan
        Slab and tissue properties.
    """
    head = anatomy.HeadShape(template.load_template(), truth)
    grid = anatomy.plan_grid(
        head,
        matrix=protocol.matrix,
        voxel_size_mm=protocol.voxel_size_mm,
        subslice_mm=protocol.subslice_mm,
    )
    points = head.to_template(grid.axes)
    blocks = anatomy.nucleus_blocks(head, grid, points, nuclei.build(ellipsoids, truth["nuclei"]))
    total, parts = anatomy.nucleus_fractions(points.shape[1:], blocks)
    fractions = anatomy.tissue_fractions(head, points)
    del points
    rest = sum(
        fractions[name] * np.float32(tissue.chi_ppm)
        for name, tissue in protocol.tissues.by_name.items()
    )
    mixture = matching.Mixture.build(grid, blocks, parts, (1 - total) * rest)
    drawn = raters.rater_outlines(grid, blocks, parts, truth)
    if "measured_ppm" in truth["nuclei"][0]:
        wanted = {
            rater: np.array([nucleus["measured_ppm"][rater] for nucleus in truth["nuclei"]])
            for rater in drawn
        }
        chi, labels = matching.match(mixture, drawn, wanted, matrix=grid.matrix)
    else:
        chi = np.array([nucleus["chi_ppm"] for nucleus in truth["nuclei"]])
        labels = {rater: raters.paint(grid.matrix, own) for rater, own in drawn.items()}
    maps = signal.tissue_maps(
        fractions,
        blocks,
        parts,
        total,
        chi_nuclei=chi,
        protocol=protocol,
    )
    return Phantom(
        grid=grid,
        maps=maps,
        mask=grid.to_scan(fractions["brain"]) > 0.5,
        labels=raters.true_labels(grid, blocks, parts),
        raters=labels,
        chi_nuclei=chi,
        label_means={
            rater: matching.label_means(mixture, own, chi) for rater, own in labels.items()
        },
    )


def true_chi(phantom: Phantom) -> NDArray[np.float32]:
    """Return the susceptibility relative to water [ppm] of the scan's voxels in the brain."""
    return phantom.grid.to_scan(phantom.maps["chi"]) * phantom.mask


def local_field(phantom: Phantom, protocol: SimulateScan) -> NDArray[np.float32]:
    """Return the field [Hz] of the sources inside the brain mask alone, in the mask."""
    grid = phantom.grid
    sources = phantom.maps["chi"] * grid.from_scan(phantom.mask)
    occupied = [np.flatnonzero(sources.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(int(index[0]), int(index[-1]) + 1) for index in occupied)
    fine = np.zeros_like(sources)
    fine[box] = dipole_field(sources[box], voxel_size=grid.voxel_size, b0_direction=(0, 0, 1))
    field = physics.ppm_to_hz(grid.to_scan(fine), field_strength=protocol.field_strength)
    return (field * phantom.mask).astype(np.float32)


def total_field(
    phantom: Phantom, protocol: SimulateScan, *, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the field [Hz] of the whole head after shimming, on the slab of the fine grid.

    Notes
    -----
    The convolution sees susceptibility relative to air, so that the padding is air. The neck
    fades into it over the lowest 25 mm: a neck cut off square would be a strong source.
    """
    grid, maps = phantom.grid, phantom.maps
    sources = maps["chi"] - np.float32(protocol.air_chi_ppm) * maps["filled"]
    height = grid.axes[2] - grid.axes[2][0]
    sources *= np.clip(height / 25.0, 0, 1).astype(np.float32)
    field = dipole_field(sources, voxel_size=grid.voxel_size, b0_direction=(0, 0, 1))
    field = field[:, :, grid.slab]
    field *= np.float32(physics.ppm_to_hz(1.0, field_strength=protocol.field_strength))
    return shim(
        field,
        grid.from_scan(phantom.mask)[:, :, grid.slab],
        (grid.axes[0], grid.axes[1], grid.axes[2][grid.slab]),
        residual=protocol.shim_residual_hz,
        rng=rng,
    )


def acquire(
    phantom: Phantom, protocol: SimulateScan, truth: Mapping[str, Any]
) -> Iterator[tuple[NDArray[np.int16], NDArray[np.int16]]]:
    """Yield the stored magnitude and phase of every echo, shape of the scan.

    Parameters
    ----------
    phantom : Phantom
        The participant's head.
    protocol : SimulateScan
        Sequence, noise and receive chain.
    truth : mapping
        ``participant_id`` and ``seed``.
    """
    grid = phantom.grid
    seed, name = truth["seed"], truth["participant_id"]
    field = total_field(phantom, protocol, rng=generator(seed, name, "shim"))
    axes = (grid.axes[0], grid.axes[1], grid.axes[2][grid.slab])
    rng = generator(seed, name, "receive")
    offset = protocol.receive_phase_rad * smooth_field(axes, length_mm=80.0, rng=rng)
    offset += np.float32(rng.uniform(-np.pi, np.pi))
    bias = np.float32(protocol.receive_bias) * smooth_field(axes, length_mm=80.0, rng=rng)
    bias -= bias[grid.from_scan(phantom.mask)[:, :, grid.slab]].mean()  # the SNR is the brain's
    maps = {
        "signal": phantom.maps["signal"][:, :, grid.slab] * np.exp(bias),
        "r2star": phantom.maps["r2star"][:, :, grid.slab],
    }
    white = protocol.tissues.white
    level = signal.spoiled_signal(
        white.proton_density,
        white.t1,
        repetition_time=protocol.repetition_time,
        flip_angle=protocol.flip_angle,
    )
    first = level * np.exp(-protocol.echo_times[0] * white.r2star)
    images = signal.echoes(
        grid,
        maps,
        field,
        offset,
        echo_times=protocol.echo_times,
        noise_sd=first / protocol.snr,
        rng=generator(seed, name, "noise"),
    )
    for image in images:
        yield signal.quantise(image, scale=signal.magnitude_scale(first))
