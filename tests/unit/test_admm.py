from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
from tiny_problem import SHAPE, VOXEL_SIZE, tiny_problem

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers import admm, admm_compiled, gauss_newton
from qsmstudy.recon.solvers.objective import EPSILON, Reweighting, evaluate


@pytest.fixture
def problem(rng):
    return tiny_problem(rng)


def double(problem):
    return replace(
        problem,
        **{key: getattr(problem, key).astype(float) for key in ("field", "weight", "dipole")},
    )


def solve(problem, **options):
    return admm.solve_admm(problem, **{"max_iterations": 60, "tolerance": 0.0} | options)


def slope(problem, x):
    """Gradient of the objective, from its formula."""
    total = np.zeros(SHAPE)
    for axis, size in enumerate(VOXEL_SIZE):
        weight = (problem.smooth >> axis & 1) + 0.1 * (problem.smooth >> (axis + 3) & 1)
        g = (np.roll(x, -1, axis) - x) / size
        flux = weight * g / np.sqrt(g**2 + EPSILON) / size
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
        lambda v: evaluate(problem, v.reshape(SHAPE)),
        start,
        jac=lambda v: slope(problem, v.reshape(SHAPE)).ravel(),
        method="L-BFGS-B",
        options={"maxiter": 4000, "maxfun": 6000, "ftol": 1e-13, "gtol": 1e-5},
    )
    fast = solve(problem, max_iterations=2000)
    # Float32 transforms against float64: 1e-5 of the objective.
    assert evaluate(problem, fast.values) == pytest.approx(slow.fun, rel=1e-4)
    exact = slow.x.reshape(SHAPE)
    known = problem.weight > 0
    difference = (fast.values - exact)[known]
    # In the cone's null space 1e-5 of the objective leaves a per cent of freedom.
    assert np.std(difference) < 0.01 * np.std(exact[known])


def test_admm_and_gauss_newton_reach_the_same_point(problem):
    fast = solve(problem, max_iterations=1000).values
    slow = gauss_newton.solve_gauss_newton(
        double(problem), max_iterations=40, tolerance=1e-3
    ).values
    known = problem.weight > 0
    difference = (fast - slow)[known]
    # The inner solver of Gauss-Newton stops at a relative residual of 0.01.
    assert np.std(difference) < 0.02 * np.std(slow[known])


def test_admm_objective_decreases(problem):
    values = [evaluate(problem, solve(problem, max_iterations=n).values) for n in (1, 5, 20, 80)]
    assert values[0] < evaluate(problem, np.zeros(SHAPE))
    assert values[0] > values[1] > values[2] > values[3]


def test_admm_does_not_see_whole_turns_of_the_field(problem, rng):
    turns = 2 * np.pi * rng.integers(-2, 3, SHAPE)
    turned = replace(problem, field=(problem.field + turns).astype(np.float32))
    # Float32 of 4 pi and a start at zero: the same branch is taken everywhere.
    np.testing.assert_allclose(solve(turned).values, solve(problem).values, atol=1e-4)


@pytest.mark.parametrize("weight", [0.1, 0.2, 0.3, 1.0])
def test_admm_converges_where_no_map_fits_the_field(problem, weight):
    weights, field = problem.weight.copy(), problem.field.copy()
    for voxel in ((6, 3, 5), (4, 8, 4), (8, 4, 3)):
        assert weights[voxel] > 0
        weights[voxel] = weight
        field[voxel] += 3.1  # all but half a turn, in single voxels
    astray = replace(problem, weight=weights, field=field)
    schedule = admm.PenaltySchedule(
        (3, 20, 20), (200, 200, 50), knots=(20, 30, 40), lock_wraps_after=30
    )
    # A voxel that switches between two turns changes x by a fifth in every step, for ever.
    assert solve(astray, max_iterations=400, tolerance=1e-3, schedule=schedule).converged


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

    solution = solve(
        problem, tolerance=1e9, reweighting=Reweighting(reweight, frozenset({4, 9})),
        schedule=admm.PenaltySchedule(knots=(2, 6)),
    )  # fmt: skip
    assert len(calls) == 2
    assert solution.iterations == 10


def test_admm_waits_for_its_penalties_to_settle(problem):
    assert (
        solve(problem, tolerance=1e9, schedule=admm.PenaltySchedule(knots=(2, 6))).iterations == 7
    )


@pytest.mark.parametrize(
    ("steepness", "end"),
    [(0.0, 60), (0.01, 60), (0.02, 35), (1.0, 3)],  # 0.7 / steepness, between 3 and 60
)
def test_a_map_without_smooth_regions_gets_a_smaller_last_penalty(problem, steepness, end):
    schedule = admm.PenaltySchedule((3, 2, 60), (200, 50, 200), knots=(5, 6, 9), balance=0.7)
    ramp = steepness * sum(
        np.arange(n).reshape([-1 if b == a else 1 for b in range(3)]) * size
        for a, (n, size) in enumerate(zip(SHAPE, VOXEL_SIZE, strict=True))
    )
    ramp[problem.weight == 0] = 100  # where there are no data nothing counts
    before = [schedule.at(step) for step in (0, 5, 6)]
    bounded = schedule.balanced(problem, ramp)
    assert [bounded.at(step) for step in (0, 5, 6)] == before
    assert bounded.at(9) == (pytest.approx(end), pytest.approx(200))
    assert [schedule.balances(step) for step in (4, 5, 6)] == [False, True, False]


def shrink(t, rho, *, bits):
    """Return y for every t, from the kernel's output ``y - u`` and ``t = y + u``."""
    row, state = t.copy(), np.zeros_like(t)
    one, rho = np.float32(1), np.float32(rho)
    admm_compiled._shrink_row(
        row, state, np.full(t.size, bits, dtype=np.uint8), 1, rho, rho, one, one
    )
    return (row.astype(float) + t) / 2


@pytest.mark.parametrize(("bits", "weight"), [(0b000010, 1), (0b010000, 0.1)])
@pytest.mark.parametrize("rho", [1, 3, 60, 300])
def test_shrinkage_solves_its_equation(rho, bits, weight):
    t = np.concatenate([np.linspace(-2, 2, 4001), np.logspace(-6, 1, 500)]).astype(np.float32)
    y = shrink(t, rho, bits=bits)

    def left(v, size):
        return v + weight * v / (rho * np.sqrt(v**2 + EPSILON)) - size

    sizes = np.abs(t.astype(float))
    exact = [scipy.optimize.brentq(left, 0, size, args=(size,), xtol=1e-12) for size in sizes]
    # One step of Halley's leaves 4e-5 at the bend for rho = 1 and less for more, down to 5e-6
    # (0.001 ppb per mm) where the bend is wider than the penalty.
    np.testing.assert_allclose(np.abs(y), exact, atol=max(4e-5 / rho**0.5, 5e-6))
    assert np.all(y * t >= 0)


def test_unpenalised_differences_pass_through():
    t = np.linspace(-0.3, 0.3, 7, dtype=np.float32)
    np.testing.assert_allclose(shrink(t, 60, bits=0b101101), t, rtol=1e-6)  # float32


def test_admm_converges_to_the_same_point_with_any_penalties(problem):
    # Penalties change the path, not the limit; after 2000 steps the maps still differ in the
    # kernel's null space, by a hundredth of their SD.
    known = problem.weight > 0
    slow = admm.PenaltySchedule(knots=(0, 300))
    expected = solve(problem, max_iterations=2000, schedule=slow).values[known]
    large = admm.PenaltySchedule(gradient=(60, 60), field=(300, 300), knots=(0, 0), relaxation=1.7)
    small = admm.PenaltySchedule(
        (3, 20, 20), (200, 200, 50), knots=(20, 30, 40), lock_wraps_after=30
    )
    for schedule in (large, small):
        found = solve(problem, max_iterations=2000, schedule=schedule).values[known]
        assert np.std(found - expected) < 0.01 * np.std(expected)
