"""Clinical factors and susceptibility in patients (Tables 5 and 6)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qsmstudy.options import check_word, choose
from qsmstudy.stats.describe import MIN_VALUES
from qsmstudy.stats.options import BINARY_CODINGS, Table5, Table6
from qsmstudy.stats.rows import region_parts, select_regions, tabulate
from qsmstudy.study.cohort import Cohort

_CODES: Mapping[str, Mapping[str, float]] = {
    "yes1_no2": {"yes": 1.0, "no": 2.0},
    "yes1_no0": {"yes": 1.0, "no": 0.0},
}

_UNIVARIATE_COLUMNS = (
    *("roi", "hemisphere", "factor", "n", "beta", "b", "se", "t", "p", "selected", "note"),
)
_MULTIVARIABLE_COLUMNS = (
    *("roi", "hemisphere", "term", "n", "beta", "b", "se", "t", "p", "vif", "r2", "adj_r2"),
    *("f", "df1", "df2", "p_model", "note"),
)


def predictors(cohort: Cohort, factors: Sequence[str], *, binary_coding: str) -> pd.DataFrame:
    """Code the patients' clinical factors as numbers.

    Parameters
    ----------
    cohort : Cohort
        Its patients are taken.
    factors : sequence of str
        Some of the study's ``predictors``.
    binary_coding : {'yes1_no2', 'yes1_no0'}
        ``yes1_no2`` turns the sign: a positive coefficient then means *higher without* the
        factor.

    Returns
    -------
    DataFrame, shape (patients, factors)
        Floats; NaN where missing.
    """
    study = cohort.study
    codes = _CODES[check_word("binary_coding", binary_coding, BINARY_CODINGS)]
    for factor in factors:
        check_word("factors", factor, study.predictors)
    patients = cohort.members(study.patients)
    columns = {
        factor: patients[factor].map(codes) if factor in study.factors else patients[factor]
        for factor in factors
    }
    return pd.DataFrame(columns, index=patients.index).astype(float)


def fit_linear(outcome: pd.Series, terms: pd.DataFrame) -> tuple[list[dict], dict]:
    """Fit a linear model to the complete cases.

    Parameters
    ----------
    outcome : Series
        Susceptibility [ppm]; NaN is missing.
    terms : DataFrame
        One column per term, same index; NaN is missing.

    Returns
    -------
    rows : list of dict
        Per term ``beta`` (standardized), ``b`` [ppm per unit of the term], ``se``, ``t``,
        ``p``, ``vif``; empty where the model has no estimate.
    model : dict
        ``n, r2, adj_r2, f, df1, df2, p_model``, or ``n`` and a ``note`` that says why there
        is no estimate.
    """
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    complete = terms.notna().all(axis=1) & outcome.notna()
    x, y = terms[complete], outcome[complete]
    n, k = x.shape
    if n < max(MIN_VALUES, k + 2):
        return [], {"n": n, "note": f"not fitted: {n} complete cases for {k} terms"}
    flat = [str(name) for name in x if np.ptp(x[name].to_numpy()) == 0]
    if flat or np.ptp(y.to_numpy()) == 0:
        what = ", ".join(flat) if flat else "the susceptibility"
        return [], {"n": n, "note": f"not fitted: {what} does not vary among the complete cases"}
    z = (x - x.mean()) / x.std(ddof=1)
    if np.linalg.matrix_rank(z.to_numpy()) < k:
        return [], {"n": n, "note": "not fitted: the terms are collinear"}
    design = sm.add_constant(x, has_constant="add")
    fit = sm.OLS(y, design).fit()
    scale = x.std(ddof=1) / y.std(ddof=1)
    standardized = sm.add_constant(z, has_constant="add").to_numpy()
    rows = [
        {
            "beta": fit.params[name] * scale[name],
            "b": fit.params[name],
            "se": fit.bse[name],
            "t": fit.tvalues[name],
            "p": fit.pvalues[name],
            "vif": variance_inflation_factor(standardized, place) if k > 1 else 1.0,
        }
        for place, name in enumerate(map(str, x), start=1)
    ]
    return rows, {
        "n": n,
        "r2": fit.rsquared,
        "adj_r2": fit.rsquared_adj,
        "f": float(fit.fvalue),
        "df1": int(fit.df_model),
        "df2": int(fit.df_resid),
        "p_model": float(fit.f_pvalue),
        "note": "",
    }


def univariate_table(cohort: Cohort, *, table3: pd.DataFrame, options: Table5) -> pd.DataFrame:
    """Regress susceptibility on one factor at a time (Table 5).

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the patients are analysed.
    table3 : DataFrame
        As `groups.group_table` returns it; the regions are chosen from it.
    options : Table5
        Which regions and factors, how yes and no are coded, whether each model is fitted to all
        who have its factor or only to those who have every factor, and the p below which a factor
        is selected for the multivariable model.

    Returns
    -------
    DataFrame
        A row per region and factor; every row has its own n.
    """
    regions = select_regions(table3, options.rois)
    terms = predictors(cohort, options.factors, binary_coding=options.binary_coding)
    complete = terms.where(terms.notna().all(axis=1))
    terms = choose("table5.missing", options.missing, {"pairwise": terms, "listwise": complete})
    rows: list[dict] = []
    for region in regions:
        outcome = cohort.chi.loc[terms.index, region]
        for factor in terms:
            estimates, model = fit_linear(outcome, terms[[factor]])
            row = {**region_parts(region), "factor": factor, "n": model["n"], "selected": "no"}
            for estimate in estimates:
                row |= estimate | {"selected": "yes" if estimate["p"] < options.entry_p else "no"}
            rows.append(row | {"note": model["note"]})
    if not regions:
        rows.append({"note": "no region differs between the groups"})
    return tabulate(rows, _UNIVARIATE_COLUMNS)


def multivariable_table(cohort: Cohort, *, table5: pd.DataFrame, options: Table6) -> pd.DataFrame:
    """Regress susceptibility on the selected factors together (Table 6).

    Parameters
    ----------
    cohort : Cohort
        Participants and their values; the patients are analysed.
    table5 : DataFrame
        As `univariate_table` returns it; it says which factors are selected.
    options : Table6
        How yes and no are coded.

    Returns
    -------
    DataFrame
        A row per region and selected factor with the model's numbers in each, over the
        cases that have all of the region's factors; one row with a note where no factor was
        selected or no model could be fitted.
    """
    terms = predictors(cohort, cohort.study.predictors, binary_coding=options.binary_coding)
    rows: list[dict] = []
    analysed = set(table5["hemisphere"].astype(str) + " " + table5["roi"].astype(str))
    for region in (region for region in cohort.chi.columns if region in analysed):
        parts = region_parts(region)
        candidates = table5[
            (table5["roi"] == parts["roi"]) & (table5["hemisphere"] == parts["hemisphere"])
        ]
        selected = set(candidates.loc[candidates["selected"] == "yes", "factor"])
        names = [factor for factor in terms if factor in selected]
        if not names:
            rows.append({**parts, "note": "no factor reached the entry level"})
            continue
        estimates, model = fit_linear(cohort.chi.loc[terms.index, region], terms[names])
        if not estimates:
            rows.append({**parts, **model})
        for name, estimate in zip(names, estimates, strict=False):
            rows.append({**parts, "term": name, **estimate, **model})
    if not rows:
        rows.append({"note": "no region was analysed"})
    return tabulate(rows, _MULTIVARIABLE_COLUMNS)
