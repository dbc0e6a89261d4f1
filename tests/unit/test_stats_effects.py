"""Effect sizes and their intervals."""

import numpy as np
import pytest
import stats_cohort as cohort

from qsmstudy.stats import characteristics, effects, groups
from qsmstudy.stats.options import Table1, Table3


def test_rank_biserial_is_the_difference_of_favourable_and_unfavourable_pairs():
    samples = {"AIS": np.array([3.0, 4, 4, 9]), "HC": np.array([1.0, 4, 5])}
    found = effects.rank_biserial(samples, alpha=0.05)
    signs = np.sign(np.subtract.outer(samples["AIS"], samples["HC"]))
    assert found["rank_biserial"] == pytest.approx(signs.mean(), rel=1e-12)
    assert found["rank_biserial_low"] < signs.mean() < found["rank_biserial_high"]


def test_groups_without_overlap_have_no_interval():
    samples = {"AIS": np.array([3.0, 4, 5]), "HC": np.array([0.0, 1, 2])}
    assert effects.rank_biserial(samples, alpha=0.05) == {"rank_biserial": 1.0}


def test_phi_is_pearsons_correlation_of_the_answers():
    counts = np.array([[18, 16], [3, 27]])
    group = np.repeat([1, 1, 0, 0], counts.ravel())
    answer = np.repeat([1, 0, 1, 0], counts.ravel())
    found = effects.phi(counts, alpha=0.05)
    assert found["phi"] == pytest.approx(np.corrcoef(group, answer)[0, 1], rel=1e-12)


@pytest.mark.parametrize(("counts", "expected"), [([[0, 5], [0, 7]], {}), ([[0, 0], [3, 4]], {})])
def test_empty_margin_has_no_phi(counts, expected):
    assert effects.phi(counts, alpha=0.05) == expected


def test_perfect_phi_has_no_interval():
    found = effects.phi([[5, 0], [0, 7]], alpha=0.05)
    assert found["phi"] == pytest.approx(1)
    assert np.isnan(found["phi_low"])


def test_one_empty_cell_keeps_its_interval_inside_the_limits():
    found = effects.phi([[24, 10], [0, 30]], alpha=0.05)
    assert -1 < found["phi_low"] < found["phi"] < found["phi_high"] < 1


def share_covered(truth, intervals):
    low, high = np.array(intervals).T
    return np.mean((low <= truth) & (truth <= high))


def test_intervals_cover_the_truth_in_95_of_100_samples(rng):
    runs, sizes, share = 2000, (60, 50), (0.55, 0.3)
    weights = np.array(sizes) / sum(sizes)
    overall = weights @ share
    true_phi = (share[0] - share[1]) * np.sqrt(weights.prod() / (overall * (1 - overall)))
    # Normal values one SD apart by 0.6 exceed each other with chance Phi(0.6 / sqrt 2).
    true_r = 2 * 0.6643 - 1
    phis, ranks = [], []
    for _ in range(runs):
        yes = [rng.binomial(n, p) for n, p in zip(sizes, share, strict=True)]
        table = [[yes[0], sizes[0] - yes[0]], [yes[1], sizes[1] - yes[1]]]
        found = effects.phi(table, alpha=0.05)
        phis.append((found["phi_low"], found["phi_high"]))
        samples = {"AIS": rng.normal(0.6, 1, 40), "HC": rng.normal(0, 1, 35)}
        found = effects.rank_biserial(samples, alpha=0.05)
        ranks.append((found["rank_biserial_low"], found["rank_biserial_high"]))
    # Three binomial SDs of 2000 draws are 1.5 %; the approximations add about 1 %.
    assert share_covered(true_phi, phis) == pytest.approx(0.95, abs=0.025)
    assert share_covered(true_r, ranks) == pytest.approx(0.95, abs=0.025)


def test_tables_1_and_3_carry_effect_sizes_at_their_end(tmp_path):
    study = cohort.study(tmp_path)
    third = groups.group_table(study, options=Table3(fdr="bh"))
    tests = third[third["group"] == "all"]
    assert third.columns[-3:].tolist() == [
        *("rank_biserial", "rank_biserial_low", "rank_biserial_high"),
    ]
    assert tests["rank_biserial"].between(-1, 1).all()
    chosen = np.where(tests["test"] == "pooled_t", tests["p_pooled"], tests["p_mann_whitney"])
    assert tests["p"].to_numpy() == pytest.approx(chosen, rel=1e-12)
    first = characteristics.participants_table(study, options=Table1())
    overall = first[first["group"] == "all"].set_index("variable")
    assert overall["effect"].tolist() == ["hedges_g"] + ["phi"] * 6
    assert overall["effect_size"].between(overall["effect_low"], overall["effect_high"]).all()
    assert overall["levene_p"].notna().tolist() == [True] + [False] * 6
