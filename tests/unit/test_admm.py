from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize

from qsmstudy import fourier
from qsmstudy.solvers import admm, gauss_newton

SHAPE, VOXEL_SIZE = (12, 11, 10), (1.0, 1.2, 2.0)


@pytest.fixture
def problem(rng):
    """Return a tiny brain with two nuclei, noise, edges and a ventricle."""
    x, y, z = np.meshgrid(*[np.arange(n) - n / 2 for n in SHAPE], indexing="ij")
    mask = (x / 5) ** 2 + (y / 5) ** 2 + (z / 4.5) ** 2 < 1
    chi = np.zeros(SHAPE, dtype=np.float32)
    chi[3:5, 4:7, 4:6] = 0.5
    chi[7:9, 5:7, 4:7] = 1.0
    dipole = fourier.dipole_kernel(SHAPE, voxel_size=VOXEL_SIZE, b0_direction=(0, 0, 1))
    field = fourier.convolve(chi, dipole) + 0.02 * rng.standard_normal(SHAPE)
    smooth = np.zeros(SHAPE, dtype=np.uint8)
    for axis, size in enumerate(VOXEL_SIZE):
        flat = np.abs(np.roll(chi, -1, axis) - chi) / size < 0.1
        np.moveaxis(flat, axis, 0)[-1] = False
        smooth |= flat.astype(np.uint8) << axis
    fluid = np.zeros(SHAPE, dtype=bool)
    fluid[5:7, 3:6, 4:6] = True
    weight = (mask * rng.uniform(0.5, 1.5, SHAPE)).astype(np.float32)
    return admm.Problem(
        field.astype(np.float32), weight, dipole, smooth, fluid, VOXEL_SIZE, 1000.0, 100.0
    )


def solve(problem, **options):
    return admm.solve(problem, **{"max_iterations": 60, "tolerance": 0.0} | options)


def slope(problem, x):
    """Gradient of the objective, from its formula."""
    total = np.zeros(SHAPE)
    for axis, size in enumerate(VOXEL_SIZE):
        chosen = (problem.smooth >> axis) & 1
        g = chosen * (np.roll(x, -1, axis) - x) / size
        flux = chosen * g / np.sqrt(g**2 + admm.EPSILON) / size
        total += np.roll(flux, 1, axis) - flux
    misfit = np.sin(fourier.convolve(x, problem.dipole) - problem.field)
    data = fourier.convolve(problem.weight.astype(float) ** 2 * misfit, problem.dipole)
    total += 2 * problem.lambda_fidelity * data
    inside = x[problem.fluid]
    total[problem.fluid] += problem.lambda_csf * (inside - inside.mean())
    return total


def test_admm_agrees_with_a_quasi_newton_minimiser(problem):
    start = np.zeros(np.prod(SHAPE))
    slow = scipy.optimize.minimize(
        lambda v: admm.objective(problem, v.reshape(SHAPE)),
        start,
        jac=lambda v: slope(problem, v.reshape(SHAPE)).ravel(),
        method="L-BFGS-B",
        options={"maxiter": 4000, "maxfun": 6000, "ftol": 1e-13, "gtol": 1e-5},
    )
    fast = solve(problem, max_iterations=2000)
    # Float32 transforms against float64: 1e-5 of the objective.
    assert admm.objective(problem, fast.values) == pytest.approx(slow.fun, rel=1e-4)
    exact = slow.x.reshape(SHAPE)
    known = problem.weight > 0
    difference = (fast.values - exact)[known]
    # In the cone's null space 1e-5 of the objective leaves a per cent of freedom.
    assert np.std(difference) < 0.01 * np.std(exact[known])


def test_admm_and_gauss_newton_reach_the_same_point(problem):
    fast = solve(problem, max_iterations=1000).values
    slow = gauss_newton.solve(problem, max_iterations=40, tolerance=1e-3).values
    known = problem.weight > 0
    difference = (fast - slow)[known]
    # The inner solver of Gauss-Newton stops at a relative residual of 0.01.
    assert np.std(difference) < 0.02 * np.std(slow[known])


def test_admm_objective_decreases(problem):
    values = [
        admm.objective(problem, solve(problem, max_iterations=n).values) for n in (1, 5, 20, 80)
    ]
    assert values[0] < admm.objective(problem, np.zeros(SHAPE))
    assert values[0] > values[1] > values[2] > values[3]


def test_admm_does_not_see_whole_turns_of_the_field(problem, rng):
    turns = 2 * np.pi * rng.integers(-2, 3, SHAPE)
    turned = replace(problem, field=(problem.field + turns).astype(np.float32))
    # Float32 of 4 pi and a start at zero: the same branch is taken everywhere.
    np.testing.assert_allclose(solve(turned).values, solve(problem).values, atol=1e-4)


def test_admm_ignores_the_field_where_the_weight_is_zero(problem):
    other = replace(problem, field=np.where(problem.weight > 0, problem.field, np.float32(2)))
    np.testing.assert_array_equal(solve(other).values, solve(problem).values)


def test_admm_makes_the_fluid_uniform(problem):
    free = solve(replace(problem, fluid=None), max_iterations=200).values[problem.fluid].std()
    tied = solve(problem, max_iterations=200).values[problem.fluid].std()
    assert tied < free


def test_admm_stops_at_its_tolerance_and_says_so(problem):
    settled = solve(problem, max_iterations=300, tolerance=1e-3)
    assert settled.converged
    assert settled.residual <= 1e-3
    assert settled.iterations < 300
    cut = solve(problem, max_iterations=3, tolerance=1e-3)
    assert not cut.converged
    assert cut.iterations == 3


def test_admm_waits_for_the_last_reweighting(problem):
    calls = []

    def reweight(field_of_x):
        calls.append(field_of_x.std())
        return problem.weight

    solution = solve(problem, tolerance=1e9, reweight=reweight, reweight_after=frozenset({4, 9}))
    assert len(calls) == 2
    assert solution.iterations == 10


def test_shrinkage_solves_its_equation():
    t = np.linspace(-0.3, 0.3, 61, dtype=np.float32)
    row, state = t.copy(), np.zeros_like(t)
    bits = np.full(t.size, 1, dtype=np.uint8)
    rho, one = np.float32(60), np.float32(1)
    admm._shrink_row(row, state, bits, np.uint8(1), rho, one, one)
    y = (row.astype(float) + t) / 2
    residual = y + y / (60 * np.sqrt(y**2 + admm.EPSILON)) - t
    assert np.abs(residual).max() < 2e-6  # float32 of arguments up to 0.3


def test_unpenalised_differences_pass_through():
    t = np.linspace(-0.3, 0.3, 7, dtype=np.float32)
    row, one = t.copy(), np.float32(1)
    bits = np.zeros(t.size, dtype=np.uint8)
    admm._shrink_row(row, np.zeros_like(t), bits, np.uint8(1), np.float32(60), one, one)
    np.testing.assert_array_equal(row, t)
