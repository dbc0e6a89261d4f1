# Names, and what every rule file uses; no rules.
import os
import re
import sys
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import yaml

REPOSITORY = Path(workflow.current_basedir).parents[1]


def own(path):
    """Return a file of this repository, relative to where Snakemake runs."""
    return os.path.normpath(os.path.join(os.path.relpath(REPOSITORY), path))


# This checkout's library, here and in the jobs, whatever is installed.
library = os.path.abspath(own("src"))
sys.path.insert(0, library)
os.environ.update(
    PYTHONPATH=os.pathsep.join([library, *filter(None, [os.environ.get("PYTHONPATH")])])
)
from qsmstudy.dataset import bids, decisions, orphan_files, scans
from qsmstudy.run import engine, configuration, fingerprints, record
from qsmstudy.errors import StudyError
from qsmstudy.study.study import study_of

configuration.check(
    config,
    yaml.safe_load(open(own("workflow/schemas/config.schema.yaml"), encoding="utf-8")),
)

OUT = str(config["output_dir"]).rstrip("/")
TAB = f"{OUT}/tables"
FIG = f"{OUT}/figures"
QSM = f"{OUT}/derivatives/qsm/{{folder}}/anat/{{scan}}"
BENCH = f"{OUT}/benchmarks"

FROM_TABLE = bool(config["roi_values"])  # measurements are given: no image is touched
DICOM = not FROM_TABLE and bool(config["dicom_dir"])
SIMULATED = not FROM_TABLE and not config["bids_dir"] and not DICOM
AUDITED = SIMULATED or bool(config["published"])  # the report shows the audit of a paper
# Where participants, labels and masks lie; of DICOM files, the converted scans lie elsewhere.
BIDS = str(config["bids_dir"] or config["dicom_dir"] or f"{OUT}/bids").rstrip("/")
CONVERTED = f"{OUT}/converted"
N_SIMULATED = sum(config["simulate_truth"]["groups"].values())
ECHOES = range(1, len(config["simulate_scan"]["echo_times"]) + 1)
FIGURE_NAMES = [f"figure{i}" for i in range(2 if FROM_TABLE else 1, 7)]
GROUPS = configuration.study_groups(config["groups"])
STUDY = study_of(config)  # what a study declares about people and tables
TABLE_NAMES = [
    *(f"table{i}" for i in range(1, 7)),
    "correlations",
    "asymmetry",
    "lesion_sides",
    "power",
]
FURTHER_FILES = {name: name for name in config["further_tables"]} | {"null_cohort": "null"}
FURTHER_PRINTED = {
    "contrasts": ("Further tables", "Contrasts", "pairs of groups"),
    "adjusted": ("Further tables", "Adjusted", "groups at equal covariates"),
    "cross_validation": (
        "Further tables",
        "Cross-validation",
        "discrimination of new participants",
    ),
    "age": ("Further tables", "Age", "susceptibility and age"),
    "asymmetry_corrected": ("Further tables", "Asymmetry, corrected", "left against right"),
    "extents": ("Further tables", "Extents", "whole nuclei and a few slices"),
    "null_cohort": ("Further tables", "Null cohort", "false positives"),
}
# The printed tables in Snakemake's report, by page: category, label, what it shows.
PRINTED = {
    "table1": ("Tables", "Table 1", "characteristics"),
    "table2": ("Tables", "Table 2", "agreement of the raters"),
    "table3": ("Tables", "Table 3", "susceptibility by group"),
    "table4": ("Tables", "Table 4", "discrimination of the groups"),
    "table5": ("Tables", "Table 5", "regression on each factor"),
    "table6": ("Tables", "Table 6", "regression on the selected factors"),
    "correlations": ("Tables", "Correlations", "age, scores and susceptibility"),
    "asymmetry": ("Tables", "Asymmetry", "left against right"),
    "lesion_sides": ("Tables", "Lesion sides", "the lesion's side against the other"),
    **{FURTHER_FILES[name]: FURTHER_PRINTED[name] for name in config["further_tables"]},
    **({"scorecard": ("Checks", "Scorecard", "published and reproduced")} if SIMULATED else {}),
    **({"audit": ("Checks", "Audit", "consistency of the published numbers")} if AUDITED else {}),
    **(
        {"validation": ("Checks", "Validation", "against the simulated truth")} if SIMULATED else {}
    ),
    **({} if FROM_TABLE else {"quality": ("Quality", "Table", "every scan")}),
}
# What of the configuration names files of the user.
GIVEN = ("participants", "decisions", "roi_values", "published")
# Sections of the configuration that state the tables' conventions.
CONVENTIONS = [*TABLE_NAMES[:6], "correlate_scores"]
ATLAS = "atlas"  # the rater whose label maps a registration makes
ATLAS_FILES = ["atlas_template", "atlas_chi", "atlas_labels", "atlas_label_table"]
FURTHER = [f"{TAB}/{FURTHER_FILES[name]}.tsv" for name in config["further_tables"]]
TABLES = [*(f"{TAB}/{name}.tsv" for name in TABLE_NAMES), *FURTHER]
FIGURES = [f"{FIG}/{name}.{kind}" for name in FIGURE_NAMES for kind in ("svg", "png")]


wildcard_constraints:
    sub=r"sub-[A-Za-z0-9]+",
    scan=r"sub-[A-Za-z0-9]+(_(?!desc-|rater-)[a-z]+-[A-Za-z0-9]+)*",
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    rater=r"[A-Za-z0-9]+",


@cache
def code_of(rule):
    """Return the fingerprint of a rule's script and section; only rules that have a job pay for it."""
    return fingerprints.fingerprint(own(f"scripts/{rule}.py"), config.get(rule, {}))


def fingerprinted(rule):
    """Return a rule's section of the configuration as `options`, and as `code` the fingerprint of
    its script's code and of the files it is given: Snakemake misses a file replaced under an older
    date, and a library function that changed."""
    section = {"options": config[rule]} if rule in config else {}
    return {
        **section,
        "code": lambda wildcards: fingerprints.with_contents(
            code_of(rule), given_files(rule, wildcards)
        ),
    }


def given_files(rule, wildcards):
    """Return the inputs of a job that this study does not make itself."""
    paths = []
    for item in workflow.get_rule(rule).input:
        found = item(wildcards) if callable(item) else item
        paths += [str(found)] if isinstance(found, str | Path) else map(str, found)
    return [path for path in paths if not made_here(path)]


def made_here(path):
    """Tell whether a path is an output of this study; a user's dataset may lie beside them."""
    if path in [config[key] for key in GIVEN]:
        return False
    users = not SIMULATED and BIDS.startswith(f"{OUT}/") and path.startswith(f"{BIDS}/")
    return path.startswith(f"{OUT}/") and not users


def json_of(pattern):
    """Return the sidecar's name of an image's name."""
    return re.sub(r"\.nii(\.gz)?$", "", str(pattern)) + ".json"


def per_scan(pattern, scans=None, **more):
    """Fill a pattern for every scan (and every combination of further wildcards)."""
    return [
        path
        for scan in scans or SCANS
        for path in expand(pattern, scan=scan, folder=bids.scan_folder(scan), sub=scan, **more)
    ]


def per_one(pattern, scan):
    """Fill a pattern for one scan."""
    return expand(pattern, scan=scan, folder=bids.scan_folder(scan))[0]


def in_archive(path, name, category, label, shows):
    """Return an output that Snakemake's own report shows, with its caption."""
    labels = {"item": label, "shows": shows}
    return report(path, caption=f"../report/archive/{name}.rst", category=category, labels=labels)


def from_images(wanted):
    """Return an input function for what needs scans: an error when only a table is given."""

    def paths(wildcards):
        if FROM_TABLE:
            raise StudyError("roi_values is given: there are no scans to make this target from.")
        return wanted(wildcards) if callable(wanted) else wanted

    return paths
