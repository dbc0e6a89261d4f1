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
from qsmstudy.figures.catalogue import FIGURES
from qsmstudy.run import configuration, engine, fingerprints, run_record, schema_check
from qsmstudy.stats import catalogue
from qsmstudy.study.source import ATLAS, checks, choose_source, layout
from qsmstudy.study.study import study_of

# A workflow that imports this one gives only what differs; what it writes lies under its prefix.
configuration.complete(config, repo_path("config/config.yaml"))
schema_check.check(config, configuration.schema())
config["output_dir"] = engine.take_prefix(workflow) + config["output_dir"]

run_record.note_command_line()
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

# The first page and the captions of Snakemake's own report are filled from `config` alone.
DECLARED = dict(config)
config["origin"] = source.origin
STUDY = study_of(config)  # what a study declares about people and tables
STUDY_TABLES = catalogue.of_study(source, further_tables=config["further_tables"])
TABLES = [f"{TAB}/{table.name}.tsv" for table in STUDY_TABLES if table in catalogue.STATISTICS]
PAGES = catalogue.pages(STUDY_TABLES)  # the printed tables in Snakemake's own report
STUDY_FIGURES = [figure for figure in FIGURES.values() if source.has_images or not figure.from_map]
PICTURES = [f"{FIG}/{figure.name}.{kind}" for figure in STUDY_FIGURES for kind in ("svg", "png")]
config["captions"] = {figure.name: figure.caption_of(config) for figure in STUDY_FIGURES}


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
    section = {"options": configuration.options_of(config, rule)} if rule in config else {}
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


def in_archive(path, *, caption, category, item, shows):
    """Return an output that Snakemake's own report shows, with its caption."""
    labels = {"item": item, "shows": shows}
    return report(
        path, caption=f"../report/archive/{caption}.rst", category=category, labels=labels
    )


def page_in_archive(page):
    """Return the page of a printed table."""
    table = PAGES[page]
    return in_archive(
        f"{TAB}/printed/{page}.html",
        caption="table",
        category=catalogue.REPORT_SECTIONS[table.section].category,
        item=table.label,
        shows=table.question,
    )


def figure_in_archive(name):
    """Return the picture of a figure."""
    figure = FIGURES[name]
    return in_archive(
        f"{FIG}/{name}.svg",
        caption="figure",
        category="Figures",
        item=figure.label,
        shows=figure.title_of(config),
    )


def from_images(wanted):
    """Return an input function for what needs images: an error where there are none."""

    def paths(wildcards):
        source.need_images()
        return wanted(wildcards) if callable(wanted) else wanted

    return paths
