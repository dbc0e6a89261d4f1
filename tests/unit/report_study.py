"""A small made-up study with every table, and the report of it."""

import inspect
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import stats_cohort as cohort
from PIL import Image
from test_stats_scripts import run_all

from qsmstudy.dataset import bids
from qsmstudy.report.page_options import BuildReport
from qsmstudy.stats import catalogue

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in (ROOT / "workflow" / "report").rglob("*") if path.is_file())
BIBLIOGRAPHY = ROOT / "resources" / "references.bib"
CONFIG = cohort.CONFIG
STUDY = cohort.STUDY
TITLE = "Iron & <susceptibility>"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


GRAPH = {
    "summarize_rois": {"purpose": "Average each region.", "from": []},
    "table1": {"purpose": "Describe <the> groups.", "from": []},
    "table3": {"purpose": "Compare the groups.", "from": ["summarize_rois"]},
    "build_report": {"purpose": "Gather all.", "from": ["table1", "table3", "summarize_rois"]},
}


def quality_table(people):
    return pd.DataFrame(
        {
            "scan": people,
            "participant_id": people,
            "session": None,
            "solver": "MEDI by ADMM",
            "iterations": 12,
            "residual": 0.0123456,
            "converged": "yes",
            "background_iterations": 16,
            "background_residual": 0.00499,
            "background_converged": "yes",
            "r2star_method": "arlo",
            "mask_source": "BET",
            "mask_volume_ml": 1439.49,
            "local_field_rms_hz": 2.5,
            "reference": "csf",
            "reference_region": "ventricular CSF",
            "reference_voxels": 12356,
            **{f"reference_{name}_ppm": -0.00469854 for name in ("offset", "sd", "noise")},
            **{f"{name}_less_whole_brain_ppm": 0.00278669 for name in ("csf", "none")},
            **{f"fit_{name}": 0.0207050 for name in ("residual", "unsettled", "share")},
            "z_local_field": [4.2, *[-0.5] * (len(people) - 1)],
            "sign_contrast_ppm": [-0.01358, *[0.1] * (len(people) - 1)],
            "failed_checks": [1, *[0] * (len(people) - 1)],
            "score": [14.2, *[0.5] * (len(people) - 1)],
            "flags": [HOSTILE, *[None] * (len(people) - 1)],
        }
    )


def scorecard_table():
    return pd.DataFrame(
        {
            "id": ["T3.LCN.AIS.mean", "T1.smoking.p", "T4.COMB.auc", "S3.2.icc.min"],
            "published": [0.073, 0.001, 0.722, 0.823],
            "decimals": [5, 3, 3, 3],
            "reproduced": [0.0730004, 0.00002, 0.7, np.nan],
            "reproduced_table": [0.073, 0.00012, 0.722, 0.823],
            "match": ["yes", "yes", "no", None],
            "match_table": ["yes"] * 4,
            "class": ["consistent", "consistent", "inconsistent_joint", "convention"],
            "note": [None, "printed as < 0.001; all tests", HOSTILE, "not reproduced: n/a"],
        }
    )


def validation_table():
    rows = [
        ("CN", "L", "AIS", 12, 0.07, 0.069, 0.068, -0.001, -0.001, 0.02, 0.019, *[np.nan] * 3),
        ("CN", "L", "all", 22, 0.06, 0.059, 0.058, -0.001, -0.001, 0.02, 0.019, 0.93, 0.001, 0.004),
    ]
    columns = "roi hemisphere group n true_mean_ppm label_mean_ppm measured_mean_ppm"
    columns += " partial_volume_ppm difference_ppm label_sd_ppm measured_sd_ppm"
    columns += " gain offset_ppm error_sd_ppm"
    return pd.DataFrame(rows, columns=columns.split())


def make_study(folder, *, sizes=(12, 10), rois="significant"):
    """Write every table of a study and return what its report is made from, by name."""
    cohort.study(folder, sizes=sizes, missing=sizes[0] > 8)
    run_all(folder, rois=rois)
    for rule, name in (
        ("correlate_scores", "correlations"),
        ("compare_hemispheres", "asymmetry"),
        ("compare_lesion_sides", "lesion_sides"),
        ("estimate_power", "power"),
    ):
        (folder / f"{rule}.tsv").rename(folder / f"{name}.tsv")
    means = bids.read_tsv(folder / "roi_means.tsv")
    people = list(dict.fromkeys(means["participant_id"]))
    values = means[means["rater"] != "mean"].rename(columns={"chi_ppm": "chi_mean_ppm"})
    bids.write_tsv(folder / "roi_values.tsv", values.assign(flag=None))
    bids.write_tsv(folder / "qc.tsv", quality_table(people))
    bids.write_tsv(folder / "scorecard.tsv", scorecard_table())
    bids.write_tsv(folder / "validation.tsv", validation_table())
    figures = [folder / f"figure{number}.svg" for number in range(1, 7)]
    for path in figures:
        path.write_text(SVG)
    mosaics = [folder / f"{people[0]}.png", folder / f"{people[1]}.png"]
    for path in mosaics:
        Image.new("RGB", (120, 90), "#305070").save(path)
    excluded = pd.DataFrame({"participant_id": people[:1], "group": "AIS", "reason": HOSTILE})
    bids.write_tsv(folder / "excluded.tsv", excluded)
    benchmarks = folder / "benchmarks" / "table1"
    benchmarks.mkdir(parents=True)
    (benchmarks / "a.tsv").write_text("s\tmax_rss\tcpu_time\n2.5\t100\t1.5\n")
    (benchmarks / "b.tsv").write_text("s\tmax_rss\tcpu_time\n0.5\t-\t0.5\n")
    names = ["participants", "excluded", "roi_values", *(f"table{i}" for i in range(1, 7))]
    names += ["correlations", "asymmetry", "lesion_sides", "power", "scorecard", "validation", "qc"]
    return {name: folder / f"{name}.tsv" for name in names} | {
        "published": ROOT / "resources" / "published.yaml",
        "figures": figures,
        "mosaics": mosaics,
        "packs": [],
        "acquisition": [],
        "graph": GRAPH,
        "benchmarks": str(folder / "benchmarks"),
        "references": BIBLIOGRAPHY,
        "templates": TEMPLATES,
        "report": folder / "report.html",
        "lock": ROOT / "envs" / "requirements.lock",
        "config": CONFIG | {"bids_dir": HOSTILE},
        "study": STUDY,
        "title": TITLE,
        "simulated": True,
        "origin": f"The cohort is simulated (read from {HOSTILE}); no person was scanned.",
        "options": BuildReport(),
    }


def arguments_of(script, given):
    """Return a script's ``main`` and its arguments from what `make_study` returned.

    A table that is None is left out.
    """
    main = runpy.run_path(str(ROOT / "scripts" / f"{script}.py"))["main"]
    names = inspect.signature(main).parameters
    tables = [given[name] for name in catalogue.TABLES if given.get(name) and name not in names]
    known = given | {"tables": tables}
    return main, {name: known[name] for name in names if name in known}


def call(script, given):
    main, arguments = arguments_of(script, given)
    main(**arguments)


def build(given):
    """Build the report and return its text."""
    call("build_report", given)
    return given["report"].read_text(encoding="utf-8")
