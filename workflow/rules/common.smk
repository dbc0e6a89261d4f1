# Names, and what every rule file uses; no rules.
import os
import re
import sys
from functools import cache
from pathlib import Path

REPOSITORY = Path(workflow.current_basedir).parents[1]


def repo_path(path):
    """Return a file of this repository, relative to where Snakemake runs."""
    return os.path.normpath(os.path.join(os.path.relpath(REPOSITORY), path))


# This checkout's library, here and in the jobs, whatever is installed.
library = os.path.abspath(repo_path("src"))
sys.path.insert(0, library)
os.environ.update(
    PYTHONPATH=os.pathsep.join([library, *filter(None, [os.environ.get("PYTHONPATH")])])
)
from qsmstudy.dataset import bids, dicom_mapping, scan_status
from qsmstudy.run import configuration, engine, fingerprints, record
from qsmstudy.study.source import ATLAS, checks, choose_source, layout
from qsmstudy.study.study import Study, study_of

# A workflow that imports this one gives only what differs; what it writes lies under its prefix.
configuration.complete(config, repo_path("config/config.yaml"))
configuration.check(config, configuration.schema())
config["output_dir"] = engine.take_prefix(workflow) + config["output_dir"]

record.note_command_line()
source = choose_source(config, repository=repo_path("."))
for scan, reason in source.left_out.items():
    print(f"{scan} is left out: {reason}", file=sys.stderr)
if not (engine.is_job(workflow) or engine.is_imported(workflow)):
    engine.show_progress(workflow)
if not engine.is_job(workflow):  # what it reads was looked at when it was planned
    source.check_files()
if not engine.is_dry_run(workflow):
    checks.check_writable(source.output_dir)
simulated_files = layout.SimulatedFiles.of(config)
converted_files = layout.ConvertedFiles.of(config)

OUT = source.output_dir
TAB = f"{OUT}/tables"
FIG = f"{OUT}/figures"
QSM = f"{OUT}/derivatives/qsm/{{folder}}/anat/{{scan}}"
BENCH = f"{OUT}/benchmarks"

# Snakemake's own report begins with a page that is filled from `config` alone.
DECLARED = dict(config)
config["origin"] = source.origin
FIGURE_NAMES = [f"figure{i}" for i in range(1 if source.has_images else 2, 7)]
GROUPS = Study.in_config(config).by_role
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
    **(
        {"scorecard": ("Checks", "Scorecard", "published and reproduced")}
        if source.has_published
        else {}
    ),
    **(
        {"audit": ("Checks", "Audit", "consistency of the published numbers")}
        if source.is_audited
        else {}
    ),
    **(
        {"validation": ("Checks", "Validation", "against the simulated truth")}
        if source.has_truth
        else {}
    ),
    **({"quality": ("Quality", "Table", "every scan")} if source.has_images else {}),
}
# Sections of the configuration that state the tables' conventions.
CONVENTIONS = [*TABLE_NAMES[:6], "correlate_scores"]
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
    return fingerprints.fingerprint(repo_path(f"scripts/{rule}.py"), config.get(rule, {}))


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
    for item in jobs[rule].input:
        found = item(wildcards) if callable(item) else item
        paths += [str(found)] if isinstance(found, str | Path) else map(str, found)
    return [path for path in paths if not source.is_output_of_study(path)]


def json_of(pattern):
    """Return the sidecar's name of an image's name."""
    return re.sub(r"\.nii(\.gz)?$", "", str(pattern)) + ".json"


def per_scan(pattern, scans=None, **more):
    """Fill a pattern for every scan (and every combination of further wildcards)."""
    return [
        path
        for scan in (source.scans if scans is None else scans)
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
    """Return an input function for what needs images: an error where there are none."""

    def paths(wildcards):
        source.need_images()
        return wanted(wildcards) if callable(wanted) else wanted

    return paths
