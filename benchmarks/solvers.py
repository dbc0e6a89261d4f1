"""The fast solver of MEDI against the published one: distance to the minimiser, and cost.

Problems: the MEDI toolbox's phantom (tests/data) and a simulated head, with and without the
spherical filter, the fluid and MERIT, at three noise levels and three lambdas, and with a strong
source whose local field wraps more than once.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import plain
import scipy.fft
from numpy.typing import NDArray

from qsmstudy import physics
from qsmstudy.recon import fourier, medi
from qsmstudy.recon.inputs import PhaseScan
from qsmstudy.recon.options import InvertDipole
from qsmstudy.recon.solvers import Solution, admm, cg, gauss_newton
from qsmstudy.recon.solvers.objective import Reweighting, evaluate

ROOT = Path(__file__).resolve().parents[1]
TOOLBOX = ROOT / "tests" / "data" / "medi_toolbox" / "inversion.npz"
SPACING, TESLA = 0.00615, 3.0
PPB = 1e3 * float(
    physics.hz_to_ppm(physics.radians_to_hz(1.0, echo_spacing=SPACING), field_strength=TESLA)
)
#: Steps, small gradient penalty and knots of the long run whose end is taken for the minimiser.
LIMIT_STEPS, LIMIT_SMALL, LIMIT_KNOTS = 800, 1.0, (30, 31, 200, 300)
SWITCHES = {
    "plain": {"smv_radius_mm": 0.0, "lambda_csf": 0.0, "merit": 0},
    "merit+csf": {"smv_radius_mm": 0.0, "merit": 4},
    "smv": {"lambda_csf": 0.0, "merit": 0},
    "merit+smv+csf": {},
}


@dataclass(frozen=True)
class Case:
    """The phantom's name, a scan, the labels of its nuclei, and whether to crop."""

    phantom: str
    scan: PhaseScan
    labels: NDArray
    crop: bool = False

    def cropped(self, margin_mm: float) -> "Case":
        """Return the case in the box that the workflow inverts; one not to be cropped as it is."""
        if not self.crop:
            return self
        box = fourier.bounding_box(
            self.scan.mask, voxel_size=self.scan.voxel_size, padding_mm=margin_mm
        )
        return replace(self, scan=self.scan.cropped(box), labels=box.take(self.labels), crop=False)


def toolbox_phantom() -> Case:
    """Return the toolbox's head: 56 x 66 x 48 voxels of 3 mm, local field by PDF."""
    stored = np.load(TOOLBOX)
    shape = tuple(stored["shape"])

    def bits(name: str) -> NDArray:
        return np.unpackbits(stored[name])[: np.prod(shape)].astype(bool).reshape(shape)

    mask = bits("mask")

    def volume(name: str) -> NDArray:
        values = np.zeros(shape, dtype=np.float32)
        values[mask] = stored[name]
        return values

    scan = PhaseScan(
        volume("local_field"), volume("magnitude"), volume("noise"), mask, bits("fluid"),
        stored["voxel_size"], stored["b0_direction"],
    )  # fmt: skip
    return Case("toolbox 3 mm", scan, volume("labels").astype(int))


def true_field(case: Case, chi: NDArray, *, noise_hz: float, rng: np.random.Generator) -> Case:
    """Return the case with the field of a given map [ppm] alone, and noise [Hz], wrapped.

    The field is computed on a doubled grid, so that its period differs from the inversion's.
    """
    large = np.zeros([2 * n for n in chi.shape], dtype=np.float32)
    corner = tuple(slice(0, n) for n in chi.shape)
    large[corner] = np.where(case.scan.mask, chi, 0)
    kernel = fourier.dipole_kernel(
        large.shape, voxel_size=case.scan.voxel_size, b0_direction=case.scan.b0_direction
    )
    hertz = physics.ppm_to_hz(fourier.convolve(large, kernel)[corner], field_strength=TESLA)
    hertz = hertz + noise_hz * rng.standard_normal(chi.shape)
    phase = physics.hz_to_radians(hertz, echo_spacing=SPACING)
    wrapped = np.where(case.scan.mask, np.angle(np.exp(1j * phase)), 0).astype(np.float32)
    return replace(case, scan=case.scan._replace(phase=wrapped))


def with_bleed(case: Case, chi: NDArray) -> NDArray:
    """Return a map with a ball of 8 mm at 4 ppm, whose field wraps more than once."""
    sizes = np.asarray(case.scan.voxel_size, dtype=float)
    centre = np.argwhere(case.scan.mask).mean(axis=0) + np.array([18.0, 25.0, 12.0]) / sizes
    grids = np.ogrid[tuple(slice(0, n) for n in chi.shape)]
    distance = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, sizes, strict=True))
    return np.where(distance < 8.0**2, np.float32(4.0), chi)


def options(*overlays: str, **changes) -> InvertDipole:
    """Return the default study's options, changed by overlays of config/ and by name."""
    import yaml

    section: dict[str, object] = {}
    for name in ("config", *overlays):
        file = ROOT / "config" / f"{name}.yaml"
        section |= yaml.safe_load(file.read_text())["invert_dipole"]
    return InvertDipole.of(section | changes)


def compare(case: Case, settings: InvertDipole) -> dict[str, object]:
    """Run both solvers on one problem and box; return distances, steps, transforms and CPU."""
    case = case.cropped(settings.margin_mm)
    given = medi.formulate(case.scan, options=settings, dtype=np.float32)
    weights: list[NDArray] = []
    start = time.process_time()
    fast = admm.solve_admm(
        given.problem, max_iterations=settings.max_iterations, tolerance=settings.tolerance,
        reweighting=_recording(given, settings, weights),
        schedule=medi.penalty_schedule(settings),
    )  # fmt: skip
    fast_cpu = time.process_time() - start
    limit = _limit(given, settings, weights)
    slow, slow_cpu, inner, plain_cpu = _published(case, settings)
    zero = given.mask if given.problem.fluid is None else given.mask & given.problem.fluid

    def distance(values: NDArray) -> tuple[float, float]:
        gap = (values - limit) * PPB
        gap = gap - gap[zero].mean()
        nuclei = [
            abs(gap[(case.labels == n) & given.mask].mean())
            for n in np.unique(case.labels)
            if n and np.any((case.labels == n) & given.mask)
        ]
        return float(np.sqrt(np.mean(gap[given.mask] ** 2))), float(max(nuclei))

    fast_rms, fast_nucleus = distance(fast.values)
    slow_rms, slow_nucleus = distance(slow.values)
    return {
        "steps": fast.iterations, "converged": fast.converged, "rms_ppb": fast_rms,
        "nucleus_ppb": fast_nucleus, "ffts": 4 * fast.iterations, "cpu_s": fast_cpu,
        "gn_outer": slow.iterations, "gn_inner": inner, "gn_rms_ppb": slow_rms,
        "gn_nucleus_ppb": slow_nucleus, "gn_ffts": 4 * inner + 6 * slow.iterations,
        "gn_cpu_s": slow_cpu, "cpu_ratio": slow_cpu / fast_cpu, "plain_cpu_s": plain_cpu,
        "plain_ratio": plain_cpu / fast_cpu,
        "objective_ratio": evaluate(given.problem, fast.values) / evaluate(given.problem, limit),
    }  # fmt: skip


def _recording(given: medi.Formulation, settings: InvertDipole, weights: list[NDArray]):
    if given.reweight is None:
        return None
    reweight = given.reweight

    def remember(field_of_x: NDArray) -> NDArray:
        weights.append(reweight(field_of_x))
        return weights[-1]

    return Reweighting(remember, medi.reweighting_steps(settings))


def _limit(given: medi.Formulation, settings: InvertDipole, weights: list[NDArray]) -> NDArray:
    """Find the minimiser under the weights that the fast solver ended with."""
    replayed = iter(weights)
    again = Reweighting(lambda _: next(replayed), medi.reweighting_steps(settings))
    schedule = medi.penalty_schedule(settings)
    start, *_, end = schedule.gradient
    slow = replace(schedule, gradient=(start, LIMIT_SMALL, LIMIT_SMALL, end), knots=LIMIT_KNOTS)
    return admm.solve_admm(
        given.problem, max_iterations=LIMIT_STEPS, tolerance=0.0, schedule=slow,
        reweighting=again if weights else None,
    ).values  # fmt: skip


def _published(case: Case, settings: InvertDipole) -> tuple[Solution, float, int, float]:
    """Run Gauss-Newton to its usual stop; return it, CPU, inner steps, and CPU written plainly."""
    given = medi.formulate(case.scan, options=settings, dtype=np.float64)
    inner = 0
    solve = cg.solve_cg

    def counted(*args, **kwargs) -> Solution:
        nonlocal inner
        found = solve(*args, **kwargs)
        inner += found.iterations
        return found

    cg.solve_cg = counted
    try:
        start = time.process_time()
        solution = gauss_newton.solve_gauss_newton(
            given.problem, max_iterations=medi.PUBLISHED_STEPS,
            tolerance=medi.PUBLISHED_TOLERANCE, reweight=given.reweight,
        )  # fmt: skip
        spent = time.process_time() - start
        return solution, spent, inner, inner * plain.seconds_per_step(given.problem)
    finally:
        cg.solve_cg = solve


def cases(heads: list[tuple[Case, NDArray]]) -> Iterator[tuple[str, Case, InvertDipole]]:
    """Yield name, case and options of every problem; `heads` come with their true maps [ppm]."""
    for case, chi in heads:
        for name, changes in SWITCHES.items():
            yield f"{name}, field as removed", case, options(**changes)
            clean = true_field(case, chi, noise_hz=0.5, rng=np.random.default_rng(1))
            yield f"{name}, true field", clean, options(**changes)
        for noise in (0.1, 2.0):
            noisy = true_field(case, chi, noise_hz=noise, rng=np.random.default_rng(2))
            yield f"merit+smv+csf, noise {noise:g} Hz", noisy, options()
        for weight in (300.0, 3000.0):
            for name in ("plain", "merit+smv+csf"):
                changes = SWITCHES[name] | {"lambda_fidelity": weight}
                yield f"{name}, lambda {weight:g}", case, options(**changes)
        bleed = true_field(case, with_bleed(case, chi), noise_hz=0.5, rng=np.random.default_rng(3))
        for name in ("plain", "merit+csf"):
            yield f"{name}, wraps", bleed, options(**SWITCHES[name])


def reference_transform(shape: tuple[int, ...]) -> float:
    """Time one pair of single-precision real transforms [CPU s], the least of seven."""
    values = np.ones(shape, dtype=np.float32)
    times = []
    for _ in range(7):
        start = time.process_time()
        scipy.fft.irfftn(scipy.fft.rfftn(values), s=shape)
        times.append(time.process_time() - start)
    return min(times)


def table(heads: list[tuple[Case, NDArray]]) -> pd.DataFrame:
    """Compare both solvers on every problem, printing as it goes."""
    rows = []
    medi.medi(heads[0][0].scan, options=options(max_iterations=1))  # compiles, untimed
    for name, case, settings in cases(heads):
        row = compare(case, settings)
        row["cpu_per_pair"] = row["cpu_s"] / reference_transform(case.scan.mask.shape)
        rows.append({"phantom": case.phantom, "problem": name} | row)
        print(
            f"{case.phantom:14}{name:34}{row['steps']:4d} steps{row['rms_ppb']:8.2f} ppb rms"
            f"{row['nucleus_ppb']:7.2f} nucleus{row['cpu_ratio']:7.1f} x CPU"
            f"{row['plain_ratio']:7.1f} x plain"
            f"   (published solver {row['gn_rms_ppb']:.2f}, {row['gn_nucleus_ppb']:.2f})",
            flush=True,
        )
    return pd.DataFrame(rows)
