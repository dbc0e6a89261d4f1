"""Agreement with R and PSPP on fixed data.

`tests/data/r_reference` holds the data, the scripts that analyse them and what these wrote. Our
functions are compared with the stored output; where R or PSPP is there, it runs again.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from qsmstudy.stats import agreement, association, describe, effects, groups, regression, roc
from qsmstudy.stats.options import ICC_FORMS, QUANTILES, T_TESTS

FOLDER = Path(__file__).resolve().parents[1] / "data" / "r_reference"
INSTALL = "apt-get install -y --no-install-recommends"
R_PACKAGES = "r-base-core r-cran-psych r-cran-proc r-cran-car"
STORED = json.loads((FOLDER / "reference.json").read_text())
PSPP = json.loads((FOLDER / "reference_pspp.json").read_text())
ALPHA = 0.05
QUARTILES = ("q1", "median", "q3")


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(FOLDER / "data.tsv", sep="\t")


@pytest.fixture(scope="module")
def ours(data):
    """The same statistics under the same names, by this package."""
    return (
        two_groups(data) | proportions(data) | shapes(data) | discrimination(data)
        | relations(data) | pairs(data) | raters()
    )  # fmt: skip


def samples(data, name):
    return {g: data.loc[data["group"] == g, name].to_numpy(dtype=float) for g in "AB"}


def pick(row, *names):
    return [row[name] for name in names]


def two_groups(data):
    x, ranks = samples(data, "x"), describe.compare_ranks(samples(data, "skewed"))
    found = {
        f"t_{kind}": pick(
            describe.compare_means(x, t_test=kind, alpha=ALPHA), "statistic", "df", "p"
        )
        for kind in T_TESTS
    }
    both = describe.alternatives(x)
    assert both["p_pooled"] == found["t_pooled"][2]
    assert both["p_welch"] == found["t_welch"][2]
    g = effects.hedges_g(x, alpha=ALPHA)
    _, adjusted = groups.false_discovery(
        [0.0023, 0.0067, 0.0104, 0.0105, 0.1506, 0.192, 0.206, 0.214, 0.3, 0.76], method="bh"
    )
    return found | {
        "levene": pick(both, "levene_f", "levene_p"),
        "mann_whitney": pick(ranks, "statistic", "p"),
        "hedges_g": pick(g, "hedges_g", "g_low", "g_high"),
        "bh": adjusted,
    }


def proportions(data):
    found = {}
    for name in ("common", "rare"):
        counts = [[v.sum(), (1 - v).sum()] for v in samples(data, name).values()]
        row = describe.compare_proportions(counts)
        names = ("statistic", "p", "p_yates", "p_fisher", "min_expected")
        found[f"chi_square_{name}"] = pick(row, *names)
        phi = effects.phi(counts, alpha=ALPHA)
        found[f"phi_{name}"] = [phi["phi"]]
        found[f"phi_interval_{name}"] = pick(phi, "phi_low", "phi_high")
    assert "Fisher" in row["note"]  # of `rare`, whose expected counts are small
    return found


def shapes(data):
    skewed = samples(data, "skewed")["A"]
    found = {
        f"quantile_{rule}": pick(describe.describe(skewed, quantile=rule), *QUARTILES)
        for rule in QUANTILES
    }
    return found | {
        f"shapiro_{name}": describe.normality(data[name])[:2] for name in ("x", "skewed")
    }


def discrimination(data):
    found = {}
    positive = (data["group"] == "A").to_numpy()
    m, n = int(positive.sum()), int((~positive).sum())
    for name in ("x", "skewed"):
        own = samples(data, name)
        auc = roc.area(*own.values())
        se = roc.standard_error(*own.values(), method="delong")
        margin = 1.959963984540054 * se
        found[f"auc_{name}"] = [auc, auc - margin, auc + margin, se]
        threshold, fpr, tpr = roc.curve(data[name], positive=positive, higher_is_positive=True)
        best = roc.youden(fpr, tpr, m=m, n=n, ties="highest_sensitivity")
        accuracy = (m * tpr[best] + n * (1 - fpr[best])) / (m + n)
        found[f"youden_{name}"] = [threshold[best], tpr[best], 1 - fpr[best], accuracy]
        r = effects.rank_biserial(own, alpha=ALPHA)
        names = ("rank_biserial", "rank_biserial_low", "rank_biserial_high")
        found[f"rank_biserial_{name}"] = pick(r, *names)
    found["logistic"], note = roc.patient_probability(data[["x", "skewed"]], positive)
    assert note == ""
    return found


def relations(data):
    # With a level next to 0 both look normal, and the method is Pearson's; next to 1, Spearman's.
    pearson = association.correlate(data["x"], data["outcome"], alpha=1e-9, spearman_ci="fisher")
    spearman = association.correlate(data["age"], data["score"], alpha=0.999, spearman_ci="fisher")
    assert [pearson["method"], spearman["method"]] == ["pearson", "spearman"]
    interval = association.correlate(data["x"], data["outcome"], alpha=ALPHA, spearman_ci="fisher")
    rows, model = regression.fit_linear(data["outcome"], data[["age", "common", "score"]])
    names = ("n", "r2", "adj_r2", "f", "df1", "df2", "p_model")
    return {
        "pearson": [*pick(pearson, "r", "p"), *pick(interval, "ci_low", "ci_high")],
        "spearman": pick(spearman, "r", "p"),
        "beta": [row["beta"] for row in rows],
        "beta_t": [row["t"] for row in rows],
        "beta_p": [row["p"] for row in rows],
        "model": pick(model, *names),
        "vif": [row["vif"] for row in rows],
    }


def pairs(data):
    row = association.compare_pairs(data["x"], data["right"], alpha=ALPHA)
    return {
        "paired_t": pick(row, "t", "df", "p", "ci_low", "ci_high", "cohen_dz"),
        "signed_rank": pick(row, "wilcoxon_w", "wilcoxon_p"),
    }


def raters():
    ratings = pd.read_csv(FOLDER / "ratings.tsv", sep="\t").to_numpy()
    names = ("icc", "ci_low", "ci_high", "f", "df1", "df2", "p")
    return {
        form: pick(agreement.intraclass_correlation(ratings, form=form, alpha=ALPHA), *names)
        for form in ICC_FORMS
    }


@pytest.mark.parametrize("name", list(STORED))
def test_statistic_agrees_with_r(ours, name):
    # Far above round-off, far below any other convention; most agree to 1e-12.
    assert list(ours[name]) == pytest.approx(STORED[name], rel=1e-6, abs=1e-9)


def test_nothing_is_left_uncompared(ours):
    assert set(ours) == set(STORED)


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_quartiles_of_incomplete_scores_agree_with_pspp(data, missing):
    scores = data[["score", "later"]]
    complete = scores.notna().all(axis=1) | (missing == "pairwise")
    for name in scores:
        summary = describe.describe(scores[name].where(complete), quantile="weibull")
        # Halves and quarters of whole numbers: exact.
        assert pick(summary, *QUARTILES) == PSPP[missing][name]
    assert PSPP["listwise"] != PSPP["pairwise"]


def rerun(*command, packages):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed; the stored output was not checked against "
                    f"it. Run: {INSTALL} {packages}")  # fmt: skip
    return subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300
    )


def test_stored_output_is_what_r_writes():
    done = rerun("Rscript", "--vanilla", "reference.R", packages=R_PACKAGES)
    if "there is no package called" in done.stderr:
        pytest.skip(f"an R package is missing; the stored output was not checked against R. "
                    f"Run: {INSTALL} {R_PACKAGES}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert list(again) == list(STORED)
    for name, values in again.items():
        # Versions of R and its linear algebra may differ in the last digits.
        assert values == pytest.approx(STORED[name], rel=1e-9, abs=1e-12), name


def test_stored_quartiles_are_what_pspp_writes(tmp_path):
    output = tmp_path / "quartiles.csv"
    done = rerun("pspp", "-O", "format=csv", "-o", str(output), "reference.sps", packages="pspp")
    assert output.exists(), done.stderr
    assert read_pspp(output.read_text()) == PSPP


def read_pspp(text):
    """Return {missing: {variable: quartiles}} of the two tables that EXAMINE writes."""
    rows = [line.split(",") for line in text.splitlines() if ",Weighted Average," in line]
    values = [(row[0], [float(cell) for cell in row[2:]]) for row in rows]
    return {"listwise": dict(values[:2]), "pairwise": dict(values[2:])}
