"""The audit of printed numbers: consistent papers pass, slips are found, messages help."""

import audit_paper
import numpy as np
import pytest
import yaml
from scipy import stats

from qsmstudy.errors import StudyError
from qsmstudy.paper.audit import checks, discovery, families, groups, models, relations, roc, search
from qsmstudy.paper.audit.values import PrintedNumber
from qsmstudy.paper.interval import Interval

SEEDS = range(5)


def write(tmp_path, content):
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def findings(tmp_path, content):
    table = checks.audit(write(tmp_path, content))
    return table[table["verdict"] != "consistent"]


@pytest.mark.parametrize("seed", SEEDS)
def test_consistent_paper_gives_no_finding(tmp_path, seed):
    found = findings(tmp_path, audit_paper.paper(seed).content)
    assert found["sentence"].tolist() == []


def test_synthetic_papers_use_every_check():
    used = {r["check"] for seed in SEEDS for r in audit_paper.paper(seed).relations}
    assert used == set(checks.AUDIT_CHECKS)


#: Numbers that the others fix within less than three units of their last digit: a count by its
#: total, t by F, a share by its denominator, an SD by a longer print of it, quartiles by n.
SHARP = (
    *("smoking.A.yes", "one.smoking.t", "one.adj_r2", "sens", "acc", "chi0.A.sd", "icc.min"),
    "score.iqr",
)


@pytest.mark.parametrize("seed", SEEDS[:4])
@pytest.mark.parametrize("name", SHARP)
@pytest.mark.parametrize("shift", [-3, 3])
def test_number_off_by_three_units_of_the_last_digit_is_found(tmp_path, seed, name, shift):
    content = audit_paper.paper(seed).content
    entry = next(value for value in content["values"] if value["id"] == name)
    entry["value"] = round(entry["value"] + shift * 10 ** -entry["decimals"], entry["decimals"])
    kept = [r for r in content["relations"] if name in str(r)]
    found = findings(tmp_path, content | {"relations": kept})
    assert len(found)
    assert found["ids"].str.contains(name, regex=False).any()


def test_exchanged_rows_are_inferred(tmp_path):
    content = audit_paper.paper(1).content
    values = {value["id"]: value for value in content["values"]}
    for kind in ("beta", "t", "p"):
        a, b = (values[f"three.{term}.{kind}"] for term in ("smoking", "drinking"))
        a["value"], b["value"] = b["value"], a["value"]
    kept = [r for r in content["relations"] if r["check"] in ("model", "shared_correlation")]
    for relation in kept:
        for term in relation.get("terms", []) if relation["check"] == "model" else []:
            term.pop("r")  # it would give the exchange away within the model
        if relation["check"] == "model":
            relation["about"] = relation["name"]
    found = findings(tmp_path, content | {"relations": kept})
    assert found["verdict"].tolist() == ["inconsistent", "inference"]
    assert "the rows of drinking and smoking of three were exchanged" in found["sentence"].iloc[1]
    assert "This is inferred" in found["sentence"].iloc[1]


@pytest.mark.parametrize("variance", ["pooled", "welch"])
def test_t_range_holds_the_p_of_every_sample_that_prints_so(variance):
    rng = np.random.default_rng(5)
    half = 0.005
    first = groups.Sample(20, Interval(5 - half, 5 + half), Interval(1 - half, 1 + half))
    second = groups.Sample(31, Interval(4.4 - half, 4.4 + half), Interval(2 - half, 2 + half))
    t, p = groups.t_range(first, second, variance=variance)
    found = [
        stats.ttest_ind_from_stats(
            5 + u[0], 1 + u[1], 20, 4.4 + u[2], 2 + u[3], 31, equal_var=variance == "pooled"
        )
        for u in rng.uniform(-half, half, (500, 4))
    ]
    ts, ps = ([getattr(r, name) for r in found] for name in ("statistic", "pvalue"))
    assert t.low <= min(ts) <= max(ts) <= t.high
    assert p.low <= min(ps) <= max(ps) <= p.high
    # Corners are attained, so that the range is no wider than the samples can show.
    assert p.high - p.low < 1.6 * (max(ps) - min(ps))


def test_range_of_model_holds_the_truth_and_every_model_that_prints_so(tmp_path):
    content = audit_paper.paper(3).content
    paper = relations.read_paper(write(tmp_path, content))
    cases = [
        c for c in relations.cases(paper, checks.AUDIT_CHECKS) if c.relation.get("name") == "three"
    ]
    printed = models.read_model(cases[0])
    level, x = search.fit_sample(printed.misfits, printed.start, valid=printed.valid)
    assert level <= 1.0
    r = models.correlation_from_t(printed, x, "smoking", "nihss")
    rng = np.random.default_rng(8)
    tried = x + rng.normal(scale=2e-3, size=(4000, x.size)) * rng.random((4000, 1))
    inside = [y for y in tried if np.abs(printed.misfits(y)).max() <= 1]
    assert len(inside) > 5
    place = printed.place("smoking", "nihss")
    assert all(r.low - 1e-6 <= y[place] <= r.high + 1e-6 for y in inside)


def test_step_up_bounds_are_exact_for_exact_p():
    p = np.array([0.01, 0.04, 0.03, 0.2])
    bounds = discovery.step_up_bounds([Interval(x, x) for x in p])
    expected = stats.false_discovery_control(p)
    assert [b.low for b in bounds] == pytest.approx(expected, rel=1e-14)  # the same function
    assert [b.high for b in bounds] == pytest.approx(expected, rel=1e-14)


def test_implied_n_is_the_one_the_p_was_computed_from():
    r = 0.312
    p = families.p_of_r(Interval(r, r), 41)
    assert families.family_sizes(
        PrintedNumber("r", r, 3), PrintedNumber("p", round(p.low, 3), 3), 80
    ) == [41]
    back = families.r_of_p(p, 41)
    assert back.low == pytest.approx(r, abs=1e-12)  # closed form both ways


def test_counts_and_u_are_listed_exactly():
    assert roc.counts_of(PrintedNumber("x", 0.5, 1), 4) == [2]
    assert roc.counts_of(PrintedNumber("x", 0.3, 1), 30) == [8, 9, 10]
    assert roc.possible_u(Interval(0.5, 0.51), 10, 10) == [50.0, 50.5, 51.0]


def test_grim_refuses_an_impossible_mean_and_an_impossible_sd(tmp_path):
    def verdict(mean, sd):
        values = [
            {"id": "m", "value": mean, "decimals": 2},
            {"id": "s", "value": sd, "decimals": 2},
        ]
        relation = {
            "check": "grim",
            "about": "x",
            "mean": "m",
            "sd": "s",
            "n": 5,
            "whole": "stated",
        }
        return checks.audit(write(tmp_path, {"values": values, "relations": [relation]}))

    # 1, 2, 3, 4, 5: mean 3, SD 1.5811
    assert verdict(3.0, 1.58)["verdict"].tolist() == ["consistent"]
    assert verdict(3.05, 1.58)["verdict"].tolist() == ["inconsistent"]
    # With sum 15 the sum of squares is odd: 55 gives 1.58, 54 would give 1.50.
    assert verdict(3.0, 1.5)["verdict"].tolist() == ["inconsistent"]


def test_expected_counts_below_five_ask_for_fisher(tmp_path):
    values = [{"id": "p", "value": 0.57, "decimals": 2}]
    counts = dict(zip(("yes1", "no1", "yes2", "no2"), (5, 29, 3, 27), strict=True))
    relation = {"check": "chi_square", "about": "x", **counts, "p": "p", "correction": "none"}
    (row,) = checks.audit(write(tmp_path, {"values": values, "relations": [relation]})).itertuples()
    assert row.verdict == "consistent"
    assert "Fisher's exact test is preferable" in row.sentence
    assert "3.75" in row.sentence


GOOD = {"check": "total", "about": "x", "parts": [1, 2], "total": "t"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"check": "totall"}, "unknown check. Did you mean total?"),
        ({"totl": "t"}, "unknown key totl. Did you mean total?"),
        ({"parts": None}, "parts must be an id or a number; got None"),
        ({"total": "tt"}, "there is no value 'tt'. Did you mean t?"),
        ({"total": True}, "total must be an id or a number; got True"),
        ({"each": 3}, "each must map names to lists"),
        ({"about": ...}, "must have check and about"),
    ],
)
def test_wrong_relation_is_refused_by_place(tmp_path, change, words):
    relation = {k: v for k, v in (GOOD | change).items() if v is not ...}
    content = {"values": [{"id": "t", "value": 3, "decimals": 0}], "relations": [GOOD, relation]}
    with pytest.raises(StudyError) as caught:
        checks.audit(write(tmp_path, content))
    assert words in str(caught.value)
    assert "paper.yaml: relation 2" in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"id": "a", "decimals": 1}, "must have id, value and decimals"),
        ({"id": "a", "value": "1,5", "decimals": 1}, "value must be a number; got '1,5'"),
        ({"id": "a", "value": 1.5, "decimals": -1}, "decimals must be 0 or more; got -1"),
        ({"id": "a", "value": 1.5, "decimals": 1, "op": "="}, "op must be < or >; got '='"),
    ],
)
def test_wrong_value_is_refused_by_place(tmp_path, entry, words):
    with pytest.raises(StudyError, match=r"paper\.yaml: value 1") as caught:
        checks.audit(write(tmp_path, {"values": [entry], "relations": [GOOD]}))
    assert words in str(caught.value)


def test_missing_relations_and_unreadable_files_are_refused(tmp_path):
    with pytest.raises(StudyError, match="must have a list `relations`"):
        checks.audit(write(tmp_path, {"values": [{"id": "a", "value": 1, "decimals": 0}]}))
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(StudyError, match="not a readable YAML file"):
        checks.audit(tmp_path / "broken.yaml")
    with pytest.raises(StudyError, match="not a readable YAML file"):
        checks.audit(tmp_path / "none.yaml")
