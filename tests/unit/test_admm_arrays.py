import importlib.util
from dataclasses import replace

import nuclei_phantom
import numpy as np
import pytest
from tiny_problem import tiny_problem

from qsmstudy import physics
from qsmstudy.errors import StudyError
from qsmstudy.recon.solvers import admm, admm_arrays
from qsmstudy.recon.solvers.objective import Reweighting

#: 1e-4 ppm as phase per echo spacing, at 3 T and 6.15 ms.
LIMIT = float(
    physics.hz_to_radians(physics.ppm_to_hz(1e-4, field_strength=3.0), echo_spacing=0.00615)
)


SMALLER = admm.PenaltySchedule(
    (3, 2, 20), (200, 60, 50), knots=(10, 11, 30), balance=0.1, lock_wraps_after=11
)


@pytest.fixture(params=["array_api_strict", "torch"])
def backend(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(
            f"{request.param} is not installed: `pip install torch==2.13.0` into .venv runs this"
        )
    return request.param


@pytest.mark.parametrize("fluid", [True, False])
@pytest.mark.parametrize("schedule", [None, SMALLER])
def test_arrays_of_any_library_give_what_the_compiled_solver_gives(rng, backend, fluid, schedule):
    problem = tiny_problem(rng)
    problem.field[6, 3, 5] += np.float32(3.1)  # no map fits it
    if not fluid:
        problem = type(problem)(**vars(problem) | {"fluid": None})
    weaker = (problem.weight * np.float32(0.9)).astype(np.float32)
    options = {
        "max_iterations": 60, "tolerance": 0.0,
        "reweighting": Reweighting(lambda _: weaker, frozenset({12})), "schedule": schedule,
    }  # fmt: skip
    other = admm.solve_admm(problem, **options, kernels=admm_arrays.load_kernels(backend))
    compiled = admm.solve_admm(problem, **options)
    assert isinstance(other.values, np.ndarray)
    assert other.values.dtype == np.float32
    np.testing.assert_allclose(other.values, compiled.values, atol=LIMIT)
    # Sums of single against double precision.
    assert other.residual == pytest.approx(compiled.residual, rel=0.02)


def test_arrays_stop_as_the_compiled_solver_does(rng, backend):
    problem = tiny_problem(rng)
    kernels = admm_arrays.load_kernels(backend)
    other = admm.solve_admm(problem, max_iterations=300, tolerance=1e-3, kernels=kernels)
    compiled = admm.solve_admm(problem, max_iterations=300, tolerance=1e-3)
    assert other.converged
    assert abs(other.iterations - compiled.iterations) <= 1  # a residual on the edge


def test_medi_runs_on_the_configured_arrays(rng, backend, monkeypatch):
    kernels = admm_arrays.load_kernels(
        backend
    )  # the standard's own arrays are no choice of a study
    monkeypatch.setattr(admm_arrays, "load_kernels", {"torch": kernels}.__getitem__)
    scan, _ = nuclei_phantom.build(rng)
    options = replace(nuclei_phantom.OPTIONS, max_iterations=45, tolerance=1e-9)
    one = nuclei_phantom.invert(scan, options)[0].values
    other = nuclei_phantom.invert(scan, replace(options, backend="torch"))[0].values
    np.testing.assert_allclose(other, one, atol=1e-4)  # ppm


def test_a_backend_that_is_not_installed_is_named():
    with pytest.raises(StudyError, match="cupy cannot be imported"):
        admm_arrays.load_kernels("cupy")
