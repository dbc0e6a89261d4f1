"""The kinds of check by the names that a file's relations use, and their roles."""

from pathlib import Path

import pandas as pd

from qsmstudy.paper.audit import acquisition, discovery, families, groups, models, roc
from qsmstudy.paper.audit.relations import Check, audit_table, read_paper

_MOMENTS = ("mean1", "sd1", "mean2", "sd2")
_SIZES = ("n_positive", "n_negative")

AUDIT_CHECKS: dict[str, Check] = {
    "matrix": Check(acquisition.matrix, ("field_mm", "voxel_mm")),
    "scan_time": Check(
        acquisition.scan_time,
        ("seconds", "tr_ms", "slices", "acceleration", "field_mm", "voxel_mm"),
    ),
    "echo_times": Check(acquisition.echo_times, ("echoes", "te_ms", "tr_ms")),
    "t_test": Check(groups.t_test, (*_MOMENTS, "n1", "n2"), ("p", "t", "variance")),
    "chi_square": Check(
        groups.chi_square, ("yes1", "no1", "yes2", "no2", "p"), ("correction", "alpha")
    ),
    "total": Check(groups.total, ("parts", "total")),
    "grim": Check(groups.grim, ("mean", "n"), ("sd", "whole")),
    "quantile_grid": Check(groups.quantile_grid, ("value", "n"), ("of", "others")),
    "paired_t": Check(groups.paired_t, (*_MOMENTS, "n", "p")),
    "multiplicity": Check(groups.multiplicity, ("p", "m"), ("alpha",)),
    "test_rule": Check(groups.test_rule, ("normal", "used")),
    "fdr": Check(discovery.fdr, ("rows", "n1", "n2"), ("rule", "alpha")),
    "roc_counts": Check(roc.roc_counts, ("sensitivity", "specificity", *_SIZES), ("accuracy",)),
    "auc_interval": Check(roc.auc_interval, ("auc", "low", "high", *_SIZES), ("compare",)),
    "auc_standard_error": Check(roc.auc_standard_error, ("rows", *_SIZES), ("method", "alpha")),
    "estimate_ci": Check(
        roc.estimate_ci, ("estimate", "low", "high"), ("se", "p", "scale", "alpha")
    ),
    "icc_form": Check(roc.icc_form, ("value", "raters"), ("form",)),
    "r_p": Check(families.r_p, ("r", "p", "n")),
    "common_n": Check(families.common_n, ("rows", "n")),
    "repeated": Check(families.repeated, ("rows",)),
    "same": Check(families.same, ("values",)),
    "extreme": Check(families.extreme, ("value", "of", "members")),
    "sign": Check(families.sign, ("values", "expected", "because")),
    "model": Check(models.model, ("terms", "n"), ("f", "adj_r2", "p")),
    "f_r2": Check(models.f_r2, ("f", "n", "terms"), ("r2", "adj_r2", "p")),
    "shared_correlation": Check(
        models.shared_correlation, ("models", "terms"), ("entry", "entry_p")
    ),
    "binary_tables": Check(
        models.binary_tables,
        ("model", "terms", "first_yes", "first_no", "second_yes", "second_no"),
    ),
}


def audit(published: Path) -> pd.DataFrame:
    """Check a file of published values for internal consistency.

    Parameters
    ----------
    published : Path
        As `relations.read_paper` describes it.

    Returns
    -------
    DataFrame
        ``about, check, ids, printed, quantity, computed_low, computed_high, verdict, sentence``;
        a row per check, some checks give several. ``verdict`` is one of `values.VERDICTS`.

    Notes
    -----
    A finding says that printed numbers do not fit together under the stated rules. It is no
    statement about the study behind them, and a misprint is the most frequent reason.
    """
    return audit_table(read_paper(published), AUDIT_CHECKS)
