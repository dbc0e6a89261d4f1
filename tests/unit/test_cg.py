import numpy as np
import pytest

from qsmstudy.recon.solvers import cg


@pytest.fixture
def system(rng):
    square = rng.standard_normal((12, 12))
    return square @ square.T + np.eye(12), rng.standard_normal(12)


def test_cg_solves_a_positive_definite_system_in_as_many_steps_as_unknowns(system):
    matrix, rhs = system
    solution = cg.solve_cg(lambda x: matrix @ x, rhs, max_iterations=20, tolerance=1e-10)
    assert solution.converged
    assert solution.iterations <= 14  # 12 in exact arithmetic, two for round-off
    np.testing.assert_allclose(solution.values, np.linalg.solve(matrix, rhs), rtol=1e-7)


def test_cg_reports_the_true_residual(system):
    matrix, rhs = system
    solution = cg.solve_cg(lambda x: matrix @ x, rhs, max_iterations=4, tolerance=0)
    assert not solution.converged
    assert solution.iterations == 4
    actual = np.linalg.norm(rhs - matrix @ solution.values) / np.linalg.norm(rhs)
    assert solution.residual == pytest.approx(actual, rel=1e-8)  # recurrence round-off


def test_cg_is_scale_free(system):
    matrix, rhs = system
    plain = cg.solve_cg(lambda x: matrix @ x, rhs, max_iterations=50, tolerance=0.01)
    scaled = cg.solve_cg(
        lambda x: 1e6 * (matrix @ x), 1e-3 * rhs, max_iterations=50, tolerance=0.01
    )
    assert plain.iterations == scaled.iterations
    np.testing.assert_allclose(scaled.values, 1e-9 * plain.values, rtol=1e-9)


def test_cg_returns_zero_for_a_zero_right_side():
    solution = cg.solve_cg(lambda x: x, np.zeros(3, np.float32), max_iterations=5, tolerance=0.1)
    assert solution.converged
    assert solution.iterations == 0
    assert solution.values.dtype == np.float32


def test_cg_stops_in_the_null_space():
    solution = cg.solve_cg(lambda x: 0 * x, np.ones(3), max_iterations=5, tolerance=0.1)
    assert not solution.converged
    np.testing.assert_array_equal(solution.values, 0)


def test_cg_leaves_the_right_side_alone(system):
    matrix, rhs = system
    before = rhs.copy()
    cg.solve_cg(lambda x: matrix @ x, rhs, max_iterations=5, tolerance=0)
    np.testing.assert_array_equal(rhs, before)
