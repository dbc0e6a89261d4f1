"""Synthetic papers: what a study of random participants would print, and its relations."""

import itertools

import numpy as np
from scipy import stats

from qsmstudy.stats.groups import round_half_up


class Paper:
    """Values and relations, printed as they are added."""

    def __init__(self, n1, n2):
        self.values, self.relations = [], []
        self.add("n.A", n1, 0)
        self.add("n.B", n2, 0)

    def add(self, name, value, decimals):
        self.values.append(
            {"id": name, "value": float(round_half_up(value, decimals)), "decimals": decimals}
        )
        return name

    def add_p(self, name, p):
        if p >= 0.001:
            return self.add(name, p, 3)
        self.values.append({"id": name, "value": 0.001, "decimals": 3, "op": "<"})
        return name

    def relate(self, check, **roles):
        self.relations.append({"check": check, "about": f"synthetic {check}", **roles})

    @property
    def content(self):
        return {"paper": "synthetic", "values": self.values, "relations": self.relations}


def paper(seed):
    """A paper whose every number is computed from one random study, and correctly rounded."""
    rng = np.random.default_rng(seed)
    n1, n2 = (int(n) for n in rng.integers(26, 60, 2))
    made = Paper(n1, n2)
    describe(made, rng, n1, n2)
    chi = susceptibility(made, rng, n1, n2)
    discriminate(made, chi, n1, n2)
    regress(made, rng, n1)
    return made


def describe(made, rng, n1, n2):
    ages = {"A": rng.integers(50, 90, n1), "B": rng.integers(45, 88, n2)}
    moments = {}
    for group, age in ages.items():
        moments[group] = (
            made.add(f"age.{group}.mean", age.mean(), 2),
            made.add(f"age.{group}.sd", age.std(ddof=1), 2),
        )
        made.relate(
            "grim", mean=moments[group][0], sd=moments[group][1], n=f"n.{group}", whole="stated"
        )
    result = stats.ttest_ind(*ages.values())
    roles = dict(zip(("mean1", "sd1", "mean2", "sd2"), (*moments["A"], *moments["B"]), strict=True))
    made.relate(
        "t_test", **roles, n1="n.A", n2="n.B", variance="pooled",
        p=made.add_p("age.p", result.pvalue), t=made.add("age.t", result.statistic, 3),
    )  # fmt: skip
    yes = [int(rng.integers(8, n - 8)) for n in (n1, n2)]
    table = [[yes[0], n1 - yes[0]], [yes[1], n2 - yes[1]]]
    names = [
        made.add(f"smoking.{group}.{answer}", table[i][j], 0)
        for i, group in enumerate("AB")
        for j, answer in enumerate(("yes", "no"))
    ]
    for group, pair in zip("AB", (names[:2], names[2:]), strict=True):
        made.relate("total", parts=pair, total=f"n.{group}")
    p = stats.chi2_contingency(table, correction=False).pvalue
    roles = dict(zip(("yes1", "no1", "yes2", "no2"), names, strict=True))
    made.relate("chi_square", **roles, p=made.add_p("smoking.p", p), correction="none")
    scores = rng.integers(0, 12, n1)
    q1, median, q3 = np.quantile(scores, (0.25, 0.5, 0.75), method="weibull")
    for kind, value in (("iqr", q3 - q1), ("median", median)):
        made.relate("quantile_grid", value=made.add(f"score.{kind}", value, 2), n="n.A", of=kind)


def susceptibility(made, rng, n1, n2):
    common = [rng.normal(size=(n, 1)) for n in (n1, n2)]
    chi = [
        0.08 + 0.02 * (0.6 * c + 0.8 * rng.normal(size=(n, 10)) + lift)
        for c, n, lift in zip(common, (n1, n2), (np.linspace(0, 0.9, 10), 0), strict=True)
    ]
    p = stats.ttest_ind(*chi).pvalue
    adjusted = stats.false_discovery_control(p)
    rows = []
    for i in range(10):
        row = {"label": f"R{i}", "adjusted": made.add_p(f"chi{i}.p_fdr", adjusted[i])}
        for place, group in enumerate("AB"):
            values = chi[place][:, i]
            row[f"mean{place + 1}"] = made.add(f"chi{i}.{group}.mean", values.mean(), 5)
            row[f"sd{place + 1}"] = made.add(f"chi{i}.{group}.sd", values.std(ddof=1), 5)
        rows.append(row)
    made.relate("fdr", rows=rows, n1="n.A", n2="n.B", rule="bh")
    left, right = chi[0][:, 0], chi[0][:, 1]
    roles = {}
    for place, values in enumerate((left, right), start=1):
        roles[f"mean{place}"] = made.add(f"side{place}.mean", values.mean(), 6)
        roles[f"sd{place}"] = made.add(f"side{place}.sd", values.std(ddof=1), 6)
    made.relate("same", values=[roles["sd1"], "chi0.A.sd"])
    p = stats.ttest_rel(left, right).pvalue
    made.relate("paired_t", **roles, n="n.A", p=made.add("sides.p", p, 4))
    made.relate("test_rule", normal=[1, 1], used="parametric")
    icc = rng.uniform(0.8, 0.99, 12)
    names = [{"value": made.add(f"icc{i}", value, 3)} for i, value in enumerate(icc)]
    for which, value in (("min", icc.min()), ("max", icc.max())):
        made.relate("extreme", of=which, value=made.add(f"icc.{which}", value, 3), members=names)
    made.relate("icc_form", value="icc0", raters=2, form="single")
    return chi


def discriminate(made, chi, n1, n2):
    a, b = chi[0][:, -1], chi[1][:, -1]
    kernel = np.heaviside(np.subtract.outer(a, b), 0.5)
    auc = kernel.mean()
    rows, columns = kernel.mean(axis=1), kernel.mean(axis=0)
    se = np.sqrt(rows.var(ddof=1) / n1 + columns.var(ddof=1) / n2)
    cut = np.median(np.concatenate([a, b]))
    sens, spec = (a > cut).mean(), (b <= cut).mean()
    sizes = {"n_positive": "n.A", "n_negative": "n.B"}
    limits = {
        "auc": made.add("auc", auc, 3),
        "low": made.add("auc.low", auc - 1.959964 * se, 3),
        "high": made.add("auc.high", min(auc + 1.959964 * se, 1.0), 3),
    }
    made.relate("auc_interval", **limits, **sizes)
    made.relate(
        "auc_standard_error", rows=[{"label": "R9", **limits}], **sizes, method="nonparametric"
    )
    made.relate(
        "roc_counts", **sizes,
        sensitivity=made.add("sens", sens, 3), specificity=made.add("spec", spec, 3),
        accuracy=made.add("acc", (sens * n1 + spec * n2) / (n1 + n2), 3),
    )  # fmt: skip
    ratio, se = 0.4, 0.15
    z = ratio / se
    made.relate(
        "estimate_ci", scale="log",
        estimate=made.add("or", np.exp(ratio), 3),
        low=made.add("or.low", np.exp(ratio - 1.959964 * se), 3),
        high=made.add("or.high", np.exp(ratio + 1.959964 * se), 3),
        p=made.add("or.p", 2 * stats.norm.sf(z), 4),
    )  # fmt: skip


def ols(y, x):
    """Standardized betas, their t and p, F, adjusted R2 and the model's p."""
    n, k = x.shape
    z, v = ((m - m.mean(axis=0)) / m.std(axis=0, ddof=1) for m in (x, y))
    beta, *_ = np.linalg.lstsq(z, v, rcond=None)
    df = n - k - 1
    error = ((v - z @ beta) ** 2).sum() / df
    t = beta / np.sqrt(error * np.diag(np.linalg.inv(z.T @ z)))
    r2 = 1 - error * df / (n - 1)
    f = r2 / k / ((1 - r2) / df)
    return beta, t, 2 * stats.t.sf(abs(t), df), f, 1 - (1 - r2) * (n - 1) / df, stats.f.sf(f, k, df)


def regress(made, rng, n):
    terms = {
        "smoking": (rng.random(n) < 0.5).astype(float),
        "nihss": rng.integers(0, 12, n).astype(float),
    }
    terms["drinking"] = np.where(rng.random(n) < 0.7, terms["smoking"], rng.random(n) < 0.4)
    signal = 0.5 * terms["smoking"] + 0.08 * terms["nihss"]
    outcomes = [signal + rng.normal(size=n) for _ in range(3)]
    simple = []
    for place, y in enumerate(outcomes):
        for name, x in terms.items():
            beta, t, p, *_ = ols(y, x[:, None])
            simple.append(
                {
                    "label": f"{name}/{place}",
                    "r": made.add(f"simple{place}.{name}.beta", beta[0], 3),
                    "p": made.add_p(f"simple{place}.{name}.p", p[0]),
                }
            )
    made.relate("common_n", rows=simple, n="n.A")
    made.relate("r_p", r=simple[0]["r"], p=simple[0]["p"], n="n.A")
    models = (("one", 0, ["smoking"]), ("two", 1, ["smoking", "nihss"]), ("three", 2, list(terms)))
    for name, place, used in models:
        x = np.column_stack([terms[term] for term in used])
        beta, t, p, f, adj_r2, p_model = ols(outcomes[place], x)
        rows = [
            {
                "label": term,
                "beta": made.add(f"{name}.{term}.beta", beta[i], 3),
                "t": made.add(f"{name}.{term}.t", t[i], 3),
                "p": made.add_p(f"{name}.{term}.p", p[i]),
                "r": f"simple{place}.{term}.beta",
            }
            for i, term in enumerate(used)
        ]
        whole = {
            "f": made.add(f"{name}.f", f, 3),
            "adj_r2": made.add(f"{name}.adj_r2", adj_r2, 3),
            "p": made.add_p(f"{name}.p", p_model),
        }
        made.relate("model", name=name, terms=rows, n="n.A", **whole)
        made.relate("f_r2", terms=len(used), n="n.A", **whole)
    made.relate("shared_correlation", models=["two", "three"], terms=["smoking", "nihss"])
    counts = {
        f"{role}_{answer}": made.add(f"{term}.{answer}", (terms[term] == value).sum(), 0)
        for (role, term), (answer, value) in itertools.product(
            (("first", "smoking"), ("second", "drinking")), (("yes", 1), ("no", 0))
        )
    }
    made.relate("binary_tables", model="three", terms=["smoking", "drinking"], **counts)
    made.relate("repeated", rows=[{k: row[k] for k in ("label", "r", "p")} for row in simple])
    betas = [f"simple{place}.smoking.beta" for place in range(3)]
    if all(v["value"] > 0 for v in made.values if v["id"] in betas):
        made.relate("sign", values=betas, expected="positive", because="smokers are higher")
    p = made.add_p("multiple.p", 0.002)
    made.relate("multiplicity", p=p, m=10)
    protocol = {"field_mm": 240, "voxel_mm": 1.0}
    made.relate("matrix", **protocol)
    # 120 lines of 30 ms in each of 40 slices, every second one of 240.
    made.relate("scan_time", seconds=144, tr_ms=30, slices=40, acceleration=2, **protocol)
    made.relate("echo_times", echoes=3, te_ms=[4.1, 8.2, 12.3], tr_ms=30)
