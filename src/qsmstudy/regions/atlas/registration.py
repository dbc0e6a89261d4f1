"""Registration of a template to a scan by SimpleITK, single-threaded and without chance.

First an affine transform by the mutual information of the magnitudes, then a smooth displacement
around the labels by diffeomorphic demons on one image that joins both contrasts.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from qsmstudy import physics
from qsmstudy.dataset.images import Volume
from qsmstudy.errors import StudyError
from qsmstudy.regions.options import RegisterAtlas

log = logging.getLogger("qsmstudy")

#: Grid of the affine step [mm].
AFFINE_STEP_MM = 3.0
#: Steps of brightness by which a template is given a scan's contrast.
_STEPS = 24
#: SD of the window over which a magnitude's shading is taken out [mm].
_WINDOW_MM = 25.0
#: Contrasts beyond this many SDs count as this many.
_CLIP = 4.0
#: Voxels that a region's core must have to stand for the region.
_CORE_VOXELS = 10
#: Correlation below which the log says to look; on the simulated heads it is .85 to .88.
WEAK = 0.6


@dataclass(frozen=True)
class Contrasts:
    """What is compared: a magnitude (or any structural image) and a susceptibility map.

    Attributes
    ----------
    magnitude : Volume
        Zero outside the brain.
    chi : Volume or None
        [ppm], zero outside the brain; None where a template has none, never of a scan.
    """

    magnitude: Volume
    chi: Volume | None


@dataclass(frozen=True)
class Registration:
    """A template's position on a scan.

    Attributes
    ----------
    transform : SimpleITK.Transform
        From points of the scan to points of the template.
    similarity : dict
        Correlation of the joined contrast around the labels, after the affine step and after
        the displacement; largest displacement [mm]; smallest Jacobian determinant (above 0
        where nothing is folded).
    """

    transform: Any
    similarity: dict[str, float]


def missing() -> bool:
    """Tell whether SimpleITK cannot be imported."""
    try:
        library()
    except StudyError:
        return True
    return False


def library() -> Any:
    """Return SimpleITK, limited to one thread: sums in another order give other digits.

    Raises
    ------
    StudyError
        If it is not installed.
    """
    try:
        import SimpleITK as sitk
    except ImportError as error:
        raise StudyError(
            "rater atlas: registration needs SimpleITK, which is not installed. Run "
            "`make env-atlas`, or name other raters (raters)."
        ) from error
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    return sitk


def to_itk(volume: Volume) -> Any:
    """Return a volume as a SimpleITK image (LPS).

    Raises
    ------
    StudyError
        If its axes are not perpendicular, which SimpleITK cannot hold.
    """
    sitk = library()
    matrix = np.diag([-1.0, -1.0, 1.0]) @ volume.affine[:3, :3]
    size = physics.voxel_size(volume.affine)
    direction = matrix / size
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise StudyError(
            "registration: the image's axes must be perpendicular; its affine is sheared: "
            f"{volume.affine.round(4).tolist()}. Resample it to a plain grid."
        )
    u, _, vt = np.linalg.svd(direction)  # the nearest rotation, to SimpleITK's tolerance
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.values.transpose(2, 1, 0)))
    image.SetSpacing([float(s) for s in size])
    image.SetDirection((u @ vt).ravel().tolist())
    image.SetOrigin((np.diag([-1.0, -1.0, 1.0]) @ volume.affine[:3, 3]).tolist())
    return image


def from_itk(image: Any) -> NDArray:
    """Return the values of a SimpleITK image, shape (X, Y, Z)."""
    return np.ascontiguousarray(library().GetArrayFromImage(image).transpose(2, 1, 0))


def register(
    scan: Contrasts,
    template: Contrasts,
    labels: Volume,
    *,
    mask: Volume,
    options: RegisterAtlas,
) -> Registration:
    """Register a template to a scan.

    Parameters
    ----------
    scan, template : Contrasts
        Both brains; grids may differ.
    labels : Volume
        The template's labels: the displacement is sought around them.
    mask : Volume
        The scan's brain.
    options : RegisterAtlas
        All but ``core_mm``; the displacement begins on a grid of twice ``step_mm``.

    Notes
    -----
    The demons compare brightness, so the template is given the scan's own contrast first: after
    the affine step every labelled region takes the scan's median in it, and elsewhere every
    brightness of the template takes the scan's median where the template has it. What iron a
    nucleus has, field strength and the template's own contrast then do not matter. A template
    without a map gets one in this way from its structure and labels. The joined contrast is
    ``w chi +- (1 - w) magnitude``; the sign is that with which both add up around the labels.

    References
    ----------
    Mattes D et al. (2003), IEEE Trans Med Imaging 22:120. doi:10.1109/TMI.2003.809072
    Vercauteren T et al. (2009), NeuroImage 45:S61. doi:10.1016/j.neuroimage.2008.10.040
    Hanspach J et al. (2017), J Magn Reson Imaging 46:1474. doi:10.1002/jmri.25671
    """
    sitk = library()
    affine = _affine(scan.magnitude, template.magnitude, mask=mask)
    step_mm = options.step_mm
    grid = _grid_around(labels, affine, step_mm=step_mm, margin_mm=options.margin_mm)
    fixed, moving = _joined(
        scan, template, labels, affine, grid, mask=mask, chi_weight=options.chi_weight
    )
    field = None
    for factor in (2, 1):
        coarse = _resized(grid, factor)
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetNumberOfIterations(options.iterations)
        demons.SetSmoothDisplacementField(True)
        demons.SetStandardDeviations([options.smoothing_mm / (step_mm * factor)] * 3)
        still, moved = (sitk.Resample(_smooth(v, factor), coarse) for v in (fixed, moving))
        if field is None:
            field = demons.Execute(still, moved)
        else:
            field = demons.Execute(still, moved, sitk.Resample(field, coarse))
    similarity = _similarity(fixed, moving, field)
    displacement = sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
    transform = sitk.CompositeTransform([affine, displacement])
    log.info("registered: %s", ", ".join(f"{k} {v:.3g}" for k, v in similarity.items()))
    if similarity["correlation"] < WEAK or similarity["smallest_jacobian"] <= 0:
        log.warning("the atlas fits badly here: look at the picture before using its labels")
    return Registration(transform, similarity)


def _affine(scan: Volume, template: Volume, *, mask: Volume) -> Any:
    """Find the affine transform from scan to template by the magnitudes' mutual information."""
    sitk = library()
    inside = to_itk(Volume(mask.values.astype(np.uint8), mask.affine))
    brain = to_itk(Volume((template.values > 0).astype(np.uint8), template.affine))
    fixed, moving = (
        _isotropic(sitk.Cast(to_itk(v), sitk.sitkFloat32), AFFINE_STEP_MM) for v in (scan, template)
    )
    start = sitk.CenteredTransformInitializer(
        inside, brain, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    volumes = [
        float(np.count_nonzero(v.values)) * abs(np.linalg.det(v.affine[:3, :3]))
        for v in (mask, template)
    ]
    start = sitk.AffineTransform(start)
    start.Scale((volumes[1] / volumes[0]) ** (1 / 3))  # from the scan's size to the template's
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.NONE)  # every voxel: the regular one jitters at random
    method.SetMetricFixedMask(
        sitk.Resample(inside, fixed, sitk.Transform(), sitk.sitkNearestNeighbor)
    )
    method.SetInterpolator(sitk.sitkLinear)
    # Steps in mm of voxels' motion. The mutual information of blurred heads is flat: the
    # gradient's default tolerance would end the search where it began.
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=0.005, numberOfIterations=200, relaxationFactor=0.7,
        gradientMagnitudeTolerance=1e-8,
    )  # fmt: skip
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([3.0, 1.5])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=False)
    transform = method.Execute(fixed, moving)
    log.info(
        "affine: mutual information %.4f, %s",
        -method.GetMetricValue(),
        method.GetOptimizerStopConditionDescription(),
    )
    return transform


def _isotropic(image: Any, step: float) -> Any:
    """Smooth and resample an image to an isotropic grid of its own extent."""
    sitk = library()
    size = [
        max(1, round(n * s / step))
        for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)
    ]
    sigmas = [max(0.01, 0.4 * step) for _ in size]
    smooth = sitk.SmoothingRecursiveGaussian(image, sigmas)
    return sitk.Resample(
        smooth, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), [step] * 3,
        image.GetDirection(), 0.0, sitk.sitkFloat32,
    )  # fmt: skip


def _grid_around(labels: Volume, affine: Any, *, step_mm: float, margin_mm: float) -> Any:
    """Return an empty image around the labels' place on the scan, along the world's axes."""
    sitk = library()
    voxels = np.argwhere(labels.values > 0)
    if not voxels.size:
        raise StudyError("atlas: its label map is empty. Check atlas_labels.")
    low, high = voxels.min(axis=0), voxels.max(axis=0)
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, 8).T
    world = corners @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    inverse = affine.GetInverse()
    placed = np.array([inverse.TransformPoint((-x, -y, z)) for x, y, z in world.tolist()])
    start = placed.min(axis=0) - margin_mm
    size = np.ceil((placed.max(axis=0) + margin_mm - start) / step_mm).astype(int)
    grid = sitk.Image([int(n) + int(n) % 2 for n in size], sitk.sitkFloat32)
    grid.SetOrigin(start.tolist())
    grid.SetSpacing([step_mm] * 3)
    return grid


def _joined(
    scan: Contrasts, template: Contrasts, labels: Volume, affine: Any, grid: Any, *,
    mask: Volume, chi_weight: float,
) -> tuple[Any, Any]:  # fmt: skip
    """Return scan and template as one contrast each on the grid."""
    sitk = library()
    inside = _sampled(Volume(mask.values.astype(np.float32), mask.affine), grid) > 0.5
    nearest = sitk.Resample(
        to_itk(Volume(labels.values.astype(np.int32), labels.affine)), grid, affine,
        sitk.sitkNearestNeighbor, 0,
    )  # fmt: skip
    regions = np.where(inside, from_itk(nearest), 0)
    ours: dict[str, NDArray] = {}
    theirs: dict[str, NDArray] = {}
    for name in ("magnitude", "chi"):
        # A template without a map lends its structure: its contrast is replaced below anyway.
        other = getattr(template, name) or template.magnitude
        pair = [_sampled(getattr(scan, name), grid), _sampled(other, grid, affine)]
        if name == "magnitude":
            pair = [_flattened(values, inside, grid.GetSpacing()[0]) for values in pair]
        ours[name], theirs[name] = _matched(pair[0], pair[1], regions, inside=inside, name=name)
    near = ndimage.binary_dilation(regions > 0, iterations=3) & inside
    agreement = np.sum(theirs["magnitude"][near] * theirs["chi"][near])
    share = (1 - chi_weight) * (1 if agreement >= 0 else -1)
    images = []
    for contrast in (ours, theirs):
        values = chi_weight * contrast["chi"] + share * contrast["magnitude"]
        image = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
        image.CopyInformation(grid)
        images.append(image)
    return images[0], images[1]


def _matched(
    ours: NDArray, theirs: NDArray, regions: NDArray, *, inside: NDArray, name: str
) -> tuple[NDArray, NDArray]:
    """Give the template the scan's own contrast; both in units of the scan's SD around zero.

    Each labelled region gets the scan's median within the region's core; elsewhere each
    brightness of the template gets the scan's median where the template has it. So neither the
    brightness of a nucleus nor that of fluid, gray and white matter is assumed.
    """
    rest = inside & (regions == 0)
    edges = np.unique(np.quantile(theirs[rest], np.linspace(0, 1, _STEPS + 1)))
    if len(edges) < 2:
        raise StudyError(
            "atlas: its template has one brightness around the labels. Check atlas_template."
        )
    step = np.clip(np.searchsorted(edges, theirs[rest], side="right") - 1, 0, len(edges) - 2)
    used = [k for k in range(len(edges) - 1) if np.any(step == k)]
    matched = np.interp(
        theirs,
        [np.median(theirs[rest][step == k]) for k in used],
        [np.median(ours[rest][step == k]) for k in used],
    )
    for index in np.unique(regions[regions > 0]):
        region = regions == index
        core = ndimage.binary_erosion(region)
        core = core if core.sum() >= _CORE_VOXELS else region
        matched[region] = np.median(ours[core])
    matched = ndimage.gaussian_filter(matched, 0.6)  # as sharp as a labelled voxel's border can be
    log.info("%s: correlation %.3f", name, np.corrcoef(ours[inside], matched[inside])[0, 1])
    spread = float(np.std(ours[inside]))
    return tuple(
        np.where(
            inside, np.clip((values - np.median(ours[inside])) / spread, -_CLIP, _CLIP), 0
        ).astype(np.float32)
        for values in (ours, matched)
    )  # type: ignore[return-value]


def _flattened(values: NDArray, inside: NDArray, step_mm: float) -> NDArray[np.float32]:
    """Divide by the local mean inside the brain: a coil's shading falls away."""
    sigma = _WINDOW_MM / step_mm
    weight = np.maximum(ndimage.gaussian_filter(inside.astype(np.float32), sigma), 1e-3)
    mean = ndimage.gaussian_filter(np.where(inside, values, 0).astype(np.float32), sigma) / weight
    return np.where(inside, values / np.maximum(mean, 1e-6 * np.max(mean)), 0).astype(np.float32)


def _sampled(volume: Volume, grid: Any, transform: Any = None) -> NDArray[np.float32]:
    """Interpolate a volume linearly on a grid."""
    sitk = library()
    image = sitk.Cast(to_itk(volume), sitk.sitkFloat32)
    place = sitk.Transform() if transform is None else transform
    return from_itk(sitk.Resample(image, grid, place, sitk.sitkLinear, 0.0))


def _resized(grid: Any, factor: int) -> Any:
    """Return the same box with voxels `factor` times as large."""
    sitk = library()
    coarse = sitk.Image([n // factor for n in grid.GetSize()], sitk.sitkFloat32)
    step = grid.GetSpacing()[0]
    coarse.SetSpacing([step * factor] * 3)
    coarse.SetOrigin([o + step * (factor - 1) / 2 for o in grid.GetOrigin()])
    return coarse


def _smooth(image: Any, factor: int) -> Any:
    sitk = library()
    step = image.GetSpacing()[0]
    return image if factor == 1 else sitk.SmoothingRecursiveGaussian(image, step * factor / 2)


def _similarity(fixed: Any, moving: Any, field: Any) -> dict[str, float]:
    """Describe the result: correlations, size of the displacement, folding."""
    sitk = library()
    copy = sitk.Cast(field, sitk.sitkVectorFloat64)  # a transform takes the image away
    warped = sitk.Resample(moving, fixed, sitk.DisplacementFieldTransform(copy))
    ours, before, after = (sitk.GetArrayFromImage(v).ravel() for v in (fixed, moving, warped))
    length = np.linalg.norm(sitk.GetArrayFromImage(field), axis=-1)
    jacobian = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(field))
    used = ours != 0
    return {
        "correlation_affine": float(np.corrcoef(ours[used], before[used])[0, 1]),
        "correlation": float(np.corrcoef(ours[used], after[used])[0, 1]),
        "largest_displacement_mm": float(length.max()),
        "smallest_jacobian": float(jacobian.min()),
    }


def transfer_labels(labels: Volume, registration: Registration, *, like: Volume) -> NDArray:
    """Bring a template's labels onto a scan's grid by nearest neighbour.

    Returns
    -------
    ndarray, shape of `like`, dtype int32
    """
    sitk = library()
    image = to_itk(Volume(labels.values.astype(np.int32), labels.affine))
    return from_itk(
        sitk.Resample(image, to_itk(like), registration.transform, sitk.sitkNearestNeighbor, 0)
    )


def transfer(volume: Volume, registration: Registration, *, like: Volume) -> NDArray[np.float32]:
    """Bring a template's image onto a scan's grid by linear interpolation."""
    sitk = library()
    image = sitk.Cast(to_itk(volume), sitk.sitkFloat32)
    return from_itk(
        sitk.Resample(image, to_itk(like), registration.transform, sitk.sitkLinear, 0.0)
    )
