"""Comparison of the groups adjusted for age, sex and the size of the region."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy.options import check_word, choose
from qsmstudy.stats.describe import MIN_VALUES, normality
from qsmstudy.stats.options import AdjustGroups
from qsmstudy.stats.rows import region_parts, tabulate
from qsmstudy.stats.several import adjust_p as corrected
from qsmstudy.study.cohort import Cohort

_COLUMNS = (
    *("roi", "hemisphere", "group", "reference_group", "n", "covariates", "difference_unadjusted"),
    *("difference", "se", "ci_low", "ci_high", "t", "df", "p", "p_adjusted", "significant"),
    *("partial_r2", "cohen_d", "p_ordinary", "p_hc3", "shapiro_p", "breusch_pagan_p", "slopes_p"),
    *("vif_max", "assumptions", "note"),
)


def adjusted_table(cohort: Cohort, *, options: AdjustGroups) -> pd.DataFrame:
    r"""Compare every group with the controls, adjusted for covariates, in every region.

    Parameters
    ----------
    cohort : Cohort
        Participants, their values and, where they were measured, their volumes; the study's alpha
        is the level of significance and of the checks, and one minus the confidence level.
    options : AdjustGroups
        The covariates; which standard error the interval and p come from (the other p stands
        beside it); and the correction over the regions, for each group.

    Returns
    -------
    DataFrame
        A row per region and group that is not the controls: ``difference`` [ppm] of the group
        and the controls at equal covariates with its interval, the plain difference of the same
        participants, ``partial_r2`` (the share of the remaining variance that the group
        explains), ``cohen_d`` (the difference over the residual SD), and the checks of
        the model. ``assumptions`` names those that fail at `alpha`.

    Notes
    -----
    The model is :math:`χ = β_0 + \sum_g β_g [group = g] + \sum_k γ_k x_k + ε`, fitted by least
    squares to the complete cases of the region. Checked are: normal residuals (Shapiro and
    Wilk), equal variance (Breusch and Pagan), equal slopes in all groups (F test of the products
    of group and covariate), and variance inflation (above 5).

    References
    ----------
    Breusch TS, Pagan AR (1979), Econometrica 47:1287. doi:10.2307/1911963
    MacKinnon JG, White H (1985), J Econom 29:305. doi:10.1016/0304-4076(85)90158-7
    """
    study, alpha = cohort.study, cohort.study.alpha
    for name in options.adjust_for:
        check_word("adjust_for", name, ("sex", "volume", *study.predictors))
    if study.controls is None:
        return tabulate([{"note": "not compared: the study has no controls"}], _COLUMNS)
    others = [name for name in study.group_names if name != study.controls]
    rows: list[dict[str, Any]] = []
    for region in map(str, cohort.chi.columns):
        volume = None if cohort.volumes is None else cohort.volumes[region]
        terms, absent = _terms(cohort.participants, volume, adjust_for=options.adjust_for)
        names = [str(name) for name in terms.columns]
        groups = [study.controls, *others]
        data = _complete(cohort.chi[region], cohort.group, terms, groups)
        for row in _compared(data, names, others, alpha=alpha, errors=options.errors):
            notes = filter(None, [str(row.get("note") or ""), absent])
            shared = {"reference_group": study.controls, "covariates": ", ".join(names)}
            rows.append(region_parts(region) | shared | row | {"note": "; ".join(notes)})
    for group in others:
        family = [
            row for row in rows if row["group"] == group and np.isfinite(row.get("p", np.nan))
        ]
        values = corrected([row["p"] for row in family], options.correction)
        for row, value in zip(family, values, strict=True):
            row |= {"p_adjusted": value, "significant": "yes" if value < alpha else "no"}
    return tabulate(rows, _COLUMNS)


def _terms(
    participants: pd.DataFrame, volume: pd.Series | None, *, adjust_for: Sequence[str]
) -> tuple[pd.DataFrame, str]:
    """Return the covariates as numbers, and what is said of those that are not known."""
    words = {"M": 1.0, "F": 0.0, "yes": 1.0, "no": 0.0}
    columns, absent = {}, []
    for name in adjust_for:
        values = volume if name == "volume" else participants[name]
        if values is None or values.isna().all():
            absent.append(name)
            continue
        coded = values if pd.api.types.is_numeric_dtype(values) else values.map(words)
        columns[name] = coded.astype(float)
    note = f"not adjusted for {', '.join(absent)}: not known" if absent else ""
    return pd.DataFrame(columns, index=participants.index), note


def _complete(
    outcome: pd.Series, group: pd.Series, terms: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """Return the complete cases: the outcome, the group and the covariates about their means."""
    data = terms.assign(chi=outcome, group=group)
    data = data[data["group"].isin(names)].dropna()
    for name in terms:
        data[name] = data[name] - data[name].mean()
    return data


def _compared(
    data: pd.DataFrame, terms: Sequence[str], others: Sequence[str], *, alpha: float, errors: str
) -> list[dict[str, Any]]:
    """Fit the model of one region; return a row per group."""
    import statsmodels.api as sm

    varying = [name for name in terms if data[name].std(ddof=1) > 0]
    flat = [name for name in terms if name not in varying]
    rows: list[dict[str, Any]] = [{"group": name, "n": len(data)} for name in others]
    members = {name: (data["group"] == name).sum() for name in others}
    members["controls"] = len(data) - sum(members.values())
    if min(members.values()) < MIN_VALUES or len(data) < len(varying) + len(others) + 3:
        note = f"not fitted: {len(data)} complete cases, {min(members.values())} in a group"
        return [row | {"note": note} for row in rows]
    dummies = pd.DataFrame({name: (data["group"] == name).astype(float) for name in others})
    design = sm.add_constant(pd.concat([dummies, data[varying]], axis=1), has_constant="add")
    if np.linalg.matrix_rank(design) < design.shape[1] or np.ptp(data["chi"]) == 0:
        note = "not fitted: the terms are collinear, or the susceptibility does not vary"
        return [row | {"note": note} for row in rows]
    fit = sm.OLS(data["chi"], design).fit()
    robust = fit.get_robustcov_results("HC3", use_t=True)
    checks = _checks(data, dummies, varying, design, fit, alpha=alpha)
    used = choose("adjust_groups.errors", errors, {"ordinary": fit, "hc3": robust})
    place = list(design.columns)
    limits = np.asarray(used.conf_int(alpha))
    controls = ~data["group"].isin(others)
    for row in rows:
        name, i = row["group"], place.index(row["group"])
        t, df = float(np.asarray(used.tvalues)[i]), int(fit.df_resid)
        plain = data.loc[data["group"] == name, "chi"].mean() - data.loc[controls, "chi"].mean()
        row |= {
            "difference_unadjusted": float(plain),
            "difference": float(fit.params.iloc[i]),
            "se": float(np.asarray(used.bse)[i]),
            "ci_low": float(limits[i, 0]),
            "ci_high": float(limits[i, 1]),
            "t": t,
            "df": df,
            "p": float(np.asarray(used.pvalues)[i]),
            "partial_r2": float(fit.tvalues.iloc[i] ** 2 / (fit.tvalues.iloc[i] ** 2 + df)),
            "cohen_d": float(fit.params.iloc[i] / np.sqrt(fit.mse_resid)),
            "p_ordinary": float(fit.pvalues.iloc[i]),
            "p_hc3": float(robust.pvalues[i]),
            "note": f"not adjusted for {', '.join(flat)}: no variation" if flat else "",
        } | checks
    return rows


def _checks(
    data: pd.DataFrame,
    dummies: pd.DataFrame,
    terms: Sequence[str],
    design: pd.DataFrame,
    fit: Any,
    *,
    alpha: float,
) -> dict[str, Any]:
    """Check what the model assumes."""
    import statsmodels.api as sm
    from statsmodels.stats.diagnostic import het_breuschpagan
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    products = {
        f"{group} x {name}": dummies[group] * data[name] for group in dummies for name in terms
    }
    slopes = np.nan
    wide = pd.concat([design, pd.DataFrame(products, index=design.index)], axis=1)
    if terms and np.linalg.matrix_rank(wide) == wide.shape[1] < len(wide):
        slopes = float(sm.OLS(data["chi"], wide).fit().compare_f_test(fit)[1])
    checks: dict[str, Any] = {
        "shapiro_p": normality(fit.resid)[1],
        "breusch_pagan_p": float(het_breuschpagan(fit.resid, design)[1]),
        "slopes_p": slopes,
        "vif_max": max(
            float(variance_inflation_factor(design.to_numpy(), i))
            for i in range(1, design.shape[1])
        ),
    }
    failed = {
        "residuals not normal": checks["shapiro_p"] < alpha,
        "unequal variance": checks["breusch_pagan_p"] < alpha,
        "unequal slopes": slopes < alpha,
        "collinear": checks["vif_max"] > 5,
    }
    checks["assumptions"] = "; ".join(name for name, fails in failed.items() if fails) or "hold"
    return checks
