"""The parts of the calibrated cohort's construction, against the study's own statistics."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmstudy.dataset import published
from qsmstudy.errors import StudyError
from qsmstudy.simulate.calibration import annealing, demands, latent, ratings, regressions, targets
from qsmstudy.simulate.calibration import roc as calibration_roc
from qsmstudy.stats import agreement, regression, roc

RESOURCE = Path(__file__).resolve().parents[2] / "resources" / "published.yaml"


@pytest.fixture(scope="module")
def printed():
    return targets.PaperNumbers(published.read_published(RESOURCE).numbers)


@pytest.fixture
def rng():
    return np.random.default_rng(41)


def test_missing_number_is_named(printed):
    with pytest.raises(StudyError, match="no beta of table5 with roi GP, hemisphere L, factor age"):
        printed.window(targets.at("table5", "beta", region="LGP", factor="age"))


def test_order_of_a_row_does_not_matter(printed):
    place = targets.at("table3", "mean", group="HC", roi="PUT", hemisphere="R")
    assert printed[place] == printed[targets.at("table3", "mean", region="RPUT", group="HC")]


def test_only_above_tells_bounds_from_numbers(printed):
    p = {roi: targets.at("asymmetry", "p", roi=roi, group="AIS") for roi in ("SN", "CN", "XX")}
    assert [printed.only_above(place) for place in p.values()] == [False, True, False]


def test_window_holds_what_prints(printed):
    window = printed.window(targets.at("table4", "auc", marker="combination"))
    assert window.low == pytest.approx(0.7215, abs=1e-12)
    assert window.excess(0.722) == 0
    assert window.excess(0.7235) == pytest.approx(2)  # three half widths from the centre


def test_model_numbers_are_those_of_the_regression(rng):
    terms = pd.DataFrame(rng.normal(size=(29, 3)) @ rng.normal(size=(3, 3)), columns=list("abc"))
    outcome = pd.Series(terms["a"] + rng.normal(size=29))
    rows, model = regression.fit_linear(outcome, terms)
    together = targets.sample_correlations([*terms.to_numpy().T, outcome.to_numpy()])
    found = targets.model_numbers(together[:3, :3], together[:3, 3], n=29)
    expected = [row[stat] for stat in ("beta", "t", "p") for row in rows]
    expected += [model["adj_r2"], model["f"], model["p_model"]]
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # two routes through the same algebra


def test_area_and_standard_error_are_those_of_table_4(rng):
    patients, controls = rng.normal(0.5, 1, 34).round(1), rng.normal(0, 1, 30).round(1)  # ties
    u, se = calibration_roc.patient_area(patients, controls)
    assert u / (34 * 30) == pytest.approx(roc.area(-controls, -patients), rel=1e-12)
    expected = roc.standard_error(-controls, -patients, method="spss_nonparametric")
    assert se == pytest.approx(expected, rel=1e-12)


def test_curve_costs_nothing_exactly_where_its_best_cutoff_is_the_demanded_one(rng):
    for _ in range(200):
        patients, controls = rng.normal(0.6, 1, 12), rng.normal(0, 1, 10)
        labels = np.repeat([False, True], [12, 10])
        _, fpr, tpr = roc.curve(
            np.r_[patients, controls], positive=labels, higher_is_positive=False
        )
        best = roc.youden(fpr, tpr, m=10, n=12, ties="highest_sensitivity")
        u, se = calibration_roc.patient_area(patients, controls)
        wide = targets.Window(0.5 * se, 1.5 * se)
        a, b = round(tpr[best] * 10), round(fpr[best] * 12)
        if not (0 < a < 10 and 0 < b < 12):
            continue
        cost = {
            point: calibration_roc.curve_cost(
                patients, controls, demands.Curve(u, wide, *point), unit=1.0
            )
            for point in [(a, b), (a - 1, b), (a, b - 1)]
            if min(point) > 0
        }
        assert cost.pop((a, b)) == 0
        assert all(value > 0 for value in cost.values())


def test_rank_sums_follow_from_the_corrected_p_values(printed):
    assert demands.rank_sum_areas(printed) == {
        "LGP": 541, "RGP": 567, "LSN": 585, "LDN": 607, "RDN": 587,
    }  # fmt: skip


def test_right_caudate_needs_a_tie_between_the_groups(printed):
    assert demands.curve_demands(printed, "R CN").u == 697.5
    assert demands.curve_demands(printed, "L CN").u == 685


def test_demands_are_met_and_the_rest_of_the_draw_stays(rng):
    coded = {"age": rng.normal(size=34), "smoking": rng.permutation(np.repeat([1.0, 2.0], 17))}
    rows = np.arange(34) < 29
    wanted = [
        regressions.Demand("age", rows, 0.3),
        regressions.Demand("smoking", np.ones(34, dtype=bool), -0.4),
    ]
    draw = rng.normal(size=34)
    values = latent.meet_demands(draw, wanted, coded)
    for demand in wanted:
        pair = [values[demand.rows], coded[demand.factor][demand.rows]]
        # Newton's steps end at round-off.
        assert np.corrcoef(pair)[0, 1] == pytest.approx(demand.r, abs=1e-12)
    span = np.array([np.ones(34), *(regressions.factor_row(d, coded) for d in wanted)]).T
    outside = [x - span @ np.linalg.lstsq(span, x, rcond=None)[0] for x in (values, draw)]
    # The fixed point keeps this part but for its size; Newton's last steps move it by round-off.
    assert np.corrcoef(outside)[0, 1] == pytest.approx(1, abs=1e-9)
    assert regressions.needed_variance(wanted, coded) < 0.5


def test_demands_without_room_give_no_values(rng):
    coded = {"age": rng.normal(size=34)}
    rows = np.ones(34, dtype=bool)
    values = latent.meet_demands(
        rng.normal(size=34), [regressions.Demand("age", rows, 1.01)], coded
    )
    assert np.isnan(values).all()


def test_raters_have_the_printed_agreement_and_mean(printed, rng):
    means = np.round(0.08 + 0.02 * latent.correlated(34, rng), 6)
    first, second = ratings.two_raters(printed, means, "AIS", seed=3)
    np.testing.assert_allclose((first + second) / 2, means, atol=1e-12)  # float round-off
    for column, region in enumerate(demands.DEMANDED_REGIONS):
        pair = np.column_stack([first[:, column], second[:, column]])
        icc = agreement.intraclass_correlation(pair, form="icc_a1", alpha=0.05)["icc"]
        place = targets.at("table2", "icc", region=region, group="AIS")
        assert printed.window(place).excess(icc) == 0


def test_annealing_finds_a_permutation_and_keeps_its_entries(rng):
    start = rng.permutation(8)

    def cost(values):
        return float(np.sum(np.abs(values - np.arange(8))))

    def propose(values, rng):
        return annealing.swap_or_step(values, rng, low=0, high=7, steps=False)

    best, lowest = annealing.anneal(
        start, propose, cost, steps=5000, temperature=(2.0, 0.1), rng=rng
    )
    assert lowest == 0
    assert list(best) == list(range(8))
