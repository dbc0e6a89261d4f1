"""Clinical factors and susceptibility in patients (Tables 5 and 6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy.stats.dataset import (
    COVARIATES,
    check_option,
    factors_of,
    group_names,
    region_parts,
    tabulate,
)
from qsmstudy.stats.describe import MIN_VALUES

#: Numbers that stand for yes and no in a regression.
BINARY_CODINGS: Mapping[str, Mapping[str, float]] = {
    "yes1_no2": {"yes": 1.0, "no": 2.0},
    "yes1_no0": {"yes": 1.0, "no": 0.0},
}

#: Which cases a model of one factor has: those with that factor, or with all factors.
MISSING = ("pairwise", "listwise")

_UNIVARIATE_COLUMNS = (
    *("roi", "hemisphere", "factor", "n", "beta", "b", "se", "t", "p", "selected", "note"),
)
_MULTIVARIABLE_COLUMNS = (
    *("roi", "hemisphere", "term", "n", "beta", "b", "se", "t", "p", "vif", "r2", "adj_r2"),
    *("f", "df1", "df2", "p_model", "note"),
)


def predictors(
    participants: pd.DataFrame,
    *,
    groups: Mapping[str, str],
    factors: Sequence[str],
    binary_coding: str,
    covariates: Mapping[str, Any] = COVARIATES,
) -> pd.DataFrame:
    """Code the patients' clinical factors as numbers.

    Parameters
    ----------
    participants : DataFrame
        As `dataset.read_participants` returns it.
    groups : mapping
        ``{patients: <name>, controls: <name>}``.
    factors : sequence of str
        Some of `dataset.factors_of` the covariates.
    binary_coding : {'yes1_no2', 'yes1_no0'}
        ``yes1_no2`` turns the sign: a positive coefficient then means *higher without* the
        factor.
    covariates : mapping
        Which columns the study has, see `dataset.read_participants`.

    Returns
    -------
    DataFrame, shape (patients, factors)
        Floats; NaN where missing.
    """
    coding = BINARY_CODINGS[check_option("binary_coding", binary_coding, BINARY_CODINGS)]
    for factor in factors:
        check_option("factors", factor, factors_of(covariates))
    patients = participants[participants["group"] == group_names(groups)[0]]
    columns = {
        factor: patients[factor].map(coding)
        if factor in covariates["factors"]
        else patients[factor]
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


def univariate_table(
    chi: pd.DataFrame,
    regions: Sequence[str],
    terms: pd.DataFrame,
    *,
    entry_p: float,
    missing: str,
) -> pd.DataFrame:
    """Regress susceptibility on one factor at a time (Table 5).

    Parameters
    ----------
    chi : DataFrame, shape (participants, 14)
        Susceptibility [ppm] by region.
    regions : sequence of str
        Regions to analyse, as `groups.select_regions` lists them.
    terms : DataFrame
        As `predictors` returns it.
    entry_p : float
        A factor with p below it is selected for the multivariable model.
    missing : {'pairwise', 'listwise'}
        Fit each model to all who have its factor, or only to those who have every factor.

    Returns
    -------
    DataFrame
        A row per region and factor; every row has its own n.
    """
    if check_option("missing", missing, MISSING) == "listwise":
        terms = terms.where(terms.notna().all(axis=1))
    rows: list[dict] = []
    for region in regions:
        outcome = chi.loc[terms.index, region]
        for factor in terms:
            estimates, model = fit_linear(outcome, terms[[factor]])
            row = {**region_parts(region), "factor": factor, "n": model["n"], "selected": "no"}
            for estimate in estimates:
                row |= estimate | {"selected": "yes" if estimate["p"] < entry_p else "no"}
            rows.append(row | {"note": model["note"]})
    if not regions:
        rows.append({"note": "no region differs between the groups"})
    return tabulate(rows, _UNIVARIATE_COLUMNS)


def multivariable_table(
    chi: pd.DataFrame, table5: pd.DataFrame, terms: pd.DataFrame
) -> pd.DataFrame:
    """Regress susceptibility on the selected factors together (Table 6).

    Parameters
    ----------
    chi : DataFrame, shape (participants, 14)
        Susceptibility [ppm] by region.
    table5 : DataFrame
        As `univariate_table` returns it.
    terms : DataFrame
        As `predictors` returns it.

    Returns
    -------
    DataFrame
        A row per region and selected factor with the model's numbers in each, over the
        cases that have all of the region's factors; one row with a note where no factor was
        selected or no model could be fitted.
    """
    rows: list[dict] = []
    analysed = set(table5["hemisphere"].astype(str) + " " + table5["roi"].astype(str))
    for region in (region for region in chi.columns if region in analysed):
        parts = region_parts(region)
        own = table5[
            (table5["roi"] == parts["roi"]) & (table5["hemisphere"] == parts["hemisphere"])
        ]
        selected = set(own.loc[own["selected"] == "yes", "factor"])
        names = [factor for factor in terms if factor in selected]
        if not names:
            rows.append({**parts, "note": "no factor reached the entry level"})
            continue
        estimates, model = fit_linear(chi.loc[terms.index, region], terms[names])
        if not estimates:
            rows.append({**parts, **model})
        for name, estimate in zip(names, estimates, strict=False):
            rows.append({**parts, "term": name, **estimate, **model})
    if not rows:
        rows.append({"note": "no region was analysed"})
    return tabulate(rows, _MULTIVARIABLE_COLUMNS)
