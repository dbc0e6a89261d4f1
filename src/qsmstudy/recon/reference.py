"""What zero means in a susceptibility map: ventricular fluid, the whole brain, or neither."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from qsmstudy.recon import fourier, methods

log = logging.getLogger("qsmstudy")

#: Ball around the brain's centre that must hold the ventricles [mm].
CENTRE_RADIUS_MM = 30.0
#: Depth below the brain's surface from which fluid counts as ventricular [mm].
_DEPTH_MM = 10.0
#: Parts of the ventricles looked for in the ball.
N_PARTS = 3
#: Least volume of a part, and of the whole reference [mm^3]; smaller ones are noise in R2*.
PART_MM3, LEAST_MM3 = 20.0, 300.0
#: Distance up to which voxels' errors are taken to be correlated, and edge of the blocks that
#: are summed before pairs are formed [mm].
REACH_MM, BLOCK_MM = 12.0, 4.0
#: Most of a region's pairs that may lie within reach if its noise is to be told.
MOST_CLOSE = 0.25


class Zero(NamedTuple):
    """One candidate for zero, as the map shows it.

    Attributes
    ----------
    region : str
        Where the mean is taken.
    voxels : int
        Size of the region; 0 for none.
    offset_ppm : float
        Mean over the region before anything was subtracted [ppm].
    sd_ppm : float or None
        Standard deviation over the region [ppm].
    noise_ppm : float or None
        Standard error of the mean [ppm] (see `region_standard_error`).
    """

    region: str
    voxels: int
    offset_ppm: float
    sd_ppm: float | None
    noise_ppm: float | None

    def report(self) -> dict[str, Any]:
        """Return the candidate for a sidecar."""
        return {
            "Region": self.region,
            "Voxels": self.voxels,
            "OffsetPpm": self.offset_ppm,
            "SdPpm": self.sd_ppm,
            "NoisePpm": self.noise_ppm,
        }


class Reference(NamedTuple):
    """What a map is referred to, and what it could be referred to instead.

    Attributes
    ----------
    wanted, name : str
        The reference asked for and the one taken, of `methods.REFERENCE`; they differ where there
        is no fluid.
    zeros : mapping of str to Zero
        Every candidate that the scan has, by name.
    """

    wanted: str
    name: str
    zeros: Mapping[str, Zero]

    @property
    def own(self) -> Zero:
        """The reference that was subtracted."""
        return self.zeros[self.name]

    def report(self) -> dict[str, Any]:
        """Return the reference for a sidecar.

        Notes
        -----
        ``OffsetPpm`` is on the scale of the map as inverted, for every candidate. To express
        the written map under candidate X, subtract X's offset less the offset of ``Name``
        (see `offsets_of`).
        """
        return {
            "Name": self.name,
            "Wanted": self.wanted,
            "Fallback": self.name != self.wanted,
            **self.own.report(),
            "Candidates": {name: zero.report() for name, zero in self.zeros.items()},
        }


def offsets_of(report: Mapping[str, Any]) -> dict[str, float]:
    """Return what to subtract from a written map to express it under each reference.

    Parameters
    ----------
    report : mapping
        As `Reference.report` returns it.

    Returns
    -------
    dict of str to float
        By name, the reference's mean in the written map [ppm]; zero for the map's own.
        References that the scan lacks are left out.

    Examples
    --------
    >>> candidates = {"csf": {"OffsetPpm": 0.25}, "none": {"OffsetPpm": 0.0}}
    >>> offsets_of({"Name": "csf", "Candidates": candidates})
    {'csf': 0.0, 'none': -0.25}
    """
    candidates = report.get("Candidates", {})
    reference = candidates.get(report.get("Name"))
    if reference is None:
        return {}
    return {name: zero["OffsetPpm"] - reference["OffsetPpm"] for name, zero in candidates.items()}


def fluid_mask(
    r2star: NDArray,
    mask: NDArray,
    *,
    fitted: NDArray,
    voxel_size: ArrayLike,
    r2star_threshold: float,
) -> NDArray | None:
    """Find the ventricles by their slow decay near the brain's centre.

    Parameters
    ----------
    r2star : ndarray, shape (X, Y, Z)
        Effective transverse relaxation rate [1/s]; zero in the whole mask, as after a single
        echo, it is not known.
    mask : ndarray of bool, shape (X, Y, Z)
        Brain.
    fitted : ndarray of bool, shape (X, Y, Z)
        Where there was signal to fit: a void is no fluid.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].
    r2star_threshold : float
        Fluid decays more slowly than this [1/s].

    Returns
    -------
    ndarray of bool, shape (X, Y, Z), or None
        None where there is too little fluid for a reference, or the decay is not known.

    Notes
    -----
    As MEDI+0 (Liu Z 2018, doi:10.1002/mrm.26946): the three largest 6-connected parts of the
    slow voxels in a 30 mm ball at the mask's centroid, grown to whole connected parts within
    the mask eroded by 10 mm. Parts below 20 mm^3 are left out, and fewer than three parts are
    not an error: what is found counts if it makes 300 mm^3 together.
    """
    if not np.any(r2star[mask]):
        log.warning("reference: R2* is zero everywhere; fluid is found with two echoes or more")
        return None
    sizes = np.asarray(voxel_size, dtype=float)
    box = fourier.bounding_box(mask, voxel_size=sizes, padding_mm=_DEPTH_MM)
    brain = box.take(mask)
    slow = brain & box.take(fitted) & (box.take(r2star) < r2star_threshold)
    sphere = fourier.sphere_kernel(box.shape, voxel_size=sizes, radius_mm=_DEPTH_MM)
    deep, _ = scipy.ndimage.label(slow & fourier.erode(brain, sphere))

    centre = np.array(scipy.ndimage.center_of_mass(brain))
    offsets = [(np.arange(n) - c) * v for n, c, v in zip(brain.shape, centre, sizes, strict=True)]
    x, y, z = np.ogrid[: brain.shape[0], : brain.shape[1], : brain.shape[2]]
    distance = offsets[0][x] ** 2 + offsets[1][y] ** 2 + offsets[2][z] ** 2
    parts, _ = scipy.ndimage.label(slow & (distance <= CENTRE_RADIUS_MM**2))
    counts = np.bincount(parts.ravel())
    counts[0] = 0
    voxel_mm3 = float(np.prod(sizes))
    largest = [
        part
        for part in np.argsort(-counts, kind="stable")[:N_PARTS]
        if counts[part] * voxel_mm3 >= PART_MM3
    ]
    grown = np.unique(deep[np.isin(parts, largest) & (deep > 0)])
    fluid = np.isin(deep, grown) & (deep > 0)
    volume = float(np.count_nonzero(fluid)) * voxel_mm3
    log.info("reference: %d parts of ventricular fluid, %.0f mm^3", len(largest), volume)
    return box.put(fluid, mask.shape) if volume >= LEAST_MM3 else None


def set_zero(
    chi: NDArray, mask: NDArray, fluid: NDArray | None, *, wanted: str, voxel_size: ArrayLike
) -> tuple[NDArray, Reference]:
    """Refer a map to a region: shift it so that the region's mean is zero.

    Parameters
    ----------
    chi : ndarray, shape (X, Y, Z)
        Susceptibility [ppm] as inverted.
    mask : ndarray of bool, shape (X, Y, Z)
        Where the map is defined.
    fluid : ndarray of bool, shape (X, Y, Z), or None
        Ventricular fluid.
    wanted : str
        A name of `methods.REFERENCE`. ``none`` leaves the map as inverted: the data do not
        determine the mean of its array, brain and margin together, and the inversion leaves it at
        zero, so that this zero depends on the margin. Without fluid, ``csf`` falls back to
        ``whole_brain`` with a warning.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].

    Returns
    -------
    chi : ndarray
        Shifted map [ppm], zero outside the mask.
    reference : Reference
        What was subtracted, and the other candidates side by side, as recommended by the
        consensus on QSM (doi:10.1002/mrm.30006).

    Raises
    ------
    StudyError
        If the reference is unknown.
    """
    methods.REFERENCE.named(wanted)
    candidates = {
        name: method.load()(chi, mask, fluid, region=method.title, voxel_size=voxel_size)
        for name, method in methods.REFERENCE.items()
    }
    zeros = {name: zero for name, zero in candidates.items() if zero is not None}
    name = wanted if wanted in zeros else "whole_brain"
    if name != wanted:
        log.warning("reference: too little ventricular fluid; zero is the mean of the whole brain")
    offset = chi.dtype.type(zeros[name].offset_ppm)
    shifted = np.where(mask, chi - offset, chi.dtype.type(0))
    return shifted, Reference(wanted, name, zeros)


def mean_in_fluid(
    chi: NDArray, mask: NDArray, fluid: NDArray | None, *, region: str, voxel_size: ArrayLike
) -> Zero | None:
    """Return the mean over the ventricular fluid as zero; None where there is no fluid.

    Arguments as those of `set_zero`, with the region's name.
    """
    if fluid is None or not np.any(fluid & mask):
        return None
    return _mean(chi, mask & fluid, region, voxel_size=voxel_size)


def mean_in_brain(
    chi: NDArray, mask: NDArray, fluid: NDArray | None, *, region: str, voxel_size: ArrayLike
) -> Zero:
    """Return the mean over the whole brain as zero; arguments as of `mean_in_fluid`."""
    return _mean(chi, mask, region, voxel_size=voxel_size)


def as_inverted(
    chi: NDArray, mask: NDArray, fluid: NDArray | None, *, region: str, voxel_size: ArrayLike
) -> Zero:
    """Return the map's own zero; arguments as of `mean_in_fluid`."""
    return Zero(region, 0, 0.0, None, None)


def _mean(chi: NDArray, where: NDArray, region: str, *, voxel_size: ArrayLike) -> Zero:
    values = chi[where].astype(float)
    noise = region_standard_error(chi, where, voxel_size=voxel_size)
    return Zero(region, int(values.size), float(values.mean()), float(values.std()), noise)


def region_standard_error(
    values: NDArray, region: NDArray, *, voxel_size: ArrayLike
) -> float | None:
    """Estimate the standard error of the mean over a region whose voxels are correlated.

    Parameters
    ----------
    values : ndarray, shape (X, Y, Z)
        Of any unit.
    region : ndarray of bool, shape (X, Y, Z)
        Where the mean is taken.
    voxel_size : array_like, shape (3,)
        Voxel edge lengths [mm].

    Returns
    -------
    float or None
        In the unit of `values`; None where the region is too small to tell.

    Notes
    -----
    The variance of a mean is the mean covariance of all pairs of voxels. Covariances are taken
    from the map itself, as products of deviations from the mean, for pairs up to `REACH_MM` apart
    (summed over blocks of `BLOCK_MM` first); farther pairs are taken to be independent. As
    deviations are from the estimated mean, each product is too small by the variance V sought;
    with f the fraction of pairs within reach, ``V = sum / N^2 / (1 - f)``; at least what
    independent blocks would give, as the sum may be negative in a small region. This is a spatial
    long-run variance (Conley 1999, doi:10.1016/S0304-4076(98)00084-0). SD / sqrt(N) would treat
    neighbours as independent and is several times too small for a regularised map.

    What it does not see: errors that shift the whole region alike, smooth ones beyond
    `REACH_MM`, and, in fluid that the inversion held uniform (MEDI+0), whatever that constraint
    removed. There it is a lower bound. In the whole brain it contains anatomy.
    """
    where = np.argwhere(region)
    if where.size == 0:
        return None
    sizes = np.asarray(voxel_size, dtype=float)
    block = ((where - where.min(axis=0)) * sizes // BLOCK_MM).astype(int)
    shape = tuple(block.max(axis=0) + 1)
    index = np.ravel_multi_index(tuple(block.T), shape)
    inside = values[region].astype(float)
    sums = np.bincount(index, weights=inside - inside.mean(), minlength=int(np.prod(shape)))
    counts = np.bincount(index, minlength=int(np.prod(shape)))
    variances = []
    for reach in (0, int(REACH_MM // BLOCK_MM)):
        fraction = _close_pairs(counts.reshape(shape), reach) / inside.size**2
        if fraction > MOST_CLOSE:
            return None
        scatter = _close_pairs(sums.reshape(shape), reach)
        variances.append(scatter / inside.size**2 / (1 - fraction))
    return float(np.sqrt(max(variances)))


def _close_pairs(blocks: NDArray, reach: int) -> float:
    """Sum the products of all pairs of blocks whose centres lie within reach."""
    shape = [scipy.fft.next_fast_len(n + reach, real=True) for n in blocks.shape]
    spectrum = scipy.fft.rfftn(blocks, shape)
    products = scipy.fft.irfftn(np.abs(spectrum) ** 2, shape)
    steps = [np.minimum(np.arange(n), n - np.arange(n)) for n in shape]
    x, y, z = np.ix_(*steps)
    return float(products[x**2 + y**2 + z**2 <= reach**2].sum())
