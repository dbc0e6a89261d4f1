# Names and input functions; no rules.
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import yaml


def own(path):
    """Return a file of this repository, relative to where Snakemake runs."""
    return os.path.normpath(os.path.join(os.path.relpath(workflow.basedir), path))


# This checkout's library, here and in the jobs, whatever is installed.
library = os.path.abspath(own("src"))
sys.path.insert(0, library)
os.environ.update(
    PYTHONPATH=os.pathsep.join([library, *filter(None, [os.environ.get("PYTHONPATH")])])
)
from qsmstudy import bids, decisions, provenance, record, scans, settings
from qsmstudy.errors import StudyError

settings.check(
    config,
    yaml.safe_load(open(own("workflow/schemas/config.schema.yaml"), encoding="utf-8")),
)

OUT = str(config["output_dir"]).rstrip("/")
TAB = f"{OUT}/tables"
FIG = f"{OUT}/figures"
QSM = f"{OUT}/derivatives/qsm/{{folder}}/anat/{{scan}}"
LOG = f"{OUT}/logs"
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
GROUPS = settings.study_groups(config["groups"])
PEOPLE = {"groups": GROUPS, "covariates": config["covariates"]}  # what participants.tsv holds
TABLE_NAMES = [
    *(f"table{i}" for i in range(1, 7)),
    "correlations",
    "asymmetry",
    "lesion_sides",
    "power",
]
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
    **({"scorecard": ("Checks", "Scorecard", "published and reproduced")} if SIMULATED else {}),
    **({"audit": ("Checks", "Audit", "consistency of the published numbers")} if AUDITED else {}),
    **(
        {"validation": ("Checks", "Validation", "against the simulated truth")} if SIMULATED else {}
    ),
    **({} if FROM_TABLE else {"quality": ("Quality", "Table", "every scan")}),
}
# What of the configuration names files of the user.
GIVEN = ("participants", "decisions", "roi_values", "published")
# What of the configuration states the tables' conventions.
CONVENTIONS = ["groups", "alpha", "rater", "raters", *TABLE_NAMES[:6], "correlate_scores"]
ATLAS = "atlas"  # the rater whose label maps a registration makes
ATLAS_FILES = ["atlas_template", "atlas_chi", "atlas_labels", "atlas_label_table"]
FURTHER = [
    f"{TAB}/{'null' if name == 'null_cohort' else name}.tsv" for name in config["further_tables"]
]
TABLES = [*(f"{TAB}/{name}.tsv" for name in TABLE_NAMES), *FURTHER]
FIGURES = [f"{FIG}/{name}.{kind}" for name in FIGURE_NAMES for kind in ("svg", "png")]


def simulated_names():
    """Return the simulated participants, sub-01, sub-02, ..."""
    width = max(2, len(str(N_SIMULATED)))
    return [f"sub-{i:0{width}d}" for i in range(1, N_SIMULATED + 1)]


def pilot_response(wildcards):
    """Return what a pilot study measured of known nuclei, where the cohort makes up for it."""
    if config["simulate_truth"]["values"] == "measured":
        return [own("resources/cohort/response.tsv")]
    return []


def listed_scans():
    """Return the scans to reconstruct by name, and why others are left out.

    Those of a user's dataset carry their files.
    """
    if FROM_TABLE:
        return {}, {}
    labels = config["participant_label"]
    if SIMULATED:
        wanted = labels and {f"sub-{label.removeprefix('sub-')}" for label in labels}
        return {name: None for name in simulated_names() if not wanted or name in wanted}, {}
    if DICOM:
        return converted_scans(labels), {}
    found = scans.find_scans(
        BIDS, participants=labels, select=config["select"], n_echoes=config["n_echoes"]
    )
    for name, reason in found.left_out.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    if not found.scans:
        raise StudyError(f"{BIDS}: no scan can be used; the reasons stand above.")
    return {scan.name: scan for scan in found.scans}, found.left_out


def converted_echoes(part):
    """Return the pattern of every echo's converted image of one part."""
    n = config["n_echoes"]
    return [
        f"{CONVERTED}/{{folder}}/anat/{{scan}}_echo-{echo}_part-{part}_MEGRE.nii.gz"
        for echo in range(1, (n if isinstance(n, int) else 1) + 1)
    ]


def converted_scans(labels):
    """Return the scans that the DICOM mapping names, with the files that they will have."""
    if not isinstance(config["n_echoes"], int):
        raise StudyError(
            "dicom_dir: n_echoes must be a number; a scan with fewer echoes is then an error. "
            "Give the protocol's, e.g. n_echoes=5."
        )
    wanted = labels and {f"sub-{label.removeprefix('sub-')}" for label in labels}
    found = {}
    for name in DICOM_SOURCES:
        files = {
            part: tuple(
                Path(expand(pattern, scan=name, folder=bids.scan_folder(name))[0])
                for pattern in converted_echoes(part)
            )
            for part in ("mag", "phase")
        }
        if not wanted or bids.participant_of(name) in wanted:
            found[name] = scans.Scan(name, files["mag"], files["phase"])
    return found


def dicom_sources():
    """Return where each scan's DICOM files lie, by the scan's name."""
    if not DICOM:
        return {}
    if config["bids_dir"]:
        raise StudyError("dicom_dir and bids_dir are both given; keep one of them.")
    from qsmstudy import dicom  # here, for only these studies need it

    mapping = config["dicom_mapping"] or os.path.join(config["dicom_dir"], "mapping.tsv")
    sources = dicom.read_mapping(mapping, dicom_dir=config["dicom_dir"])
    return {source.name: source for source in sources}


def dicom_state(wildcards):
    """Return name, size and date of a scan's DICOM files, so that a change is noticed."""
    from qsmstudy import dicom

    return dicom.state_of(DICOM_SOURCES[wildcards.scan].folder)


def check_paths():
    """Refuse combinations that would overwrite the user's files or miss what was meant."""
    real = {key: os.path.realpath(config[key]) for key in ("bids_dir", "roi_values") if config[key]}
    simulated, tables = os.path.realpath(f"{OUT}/bids"), os.path.realpath(TAB)
    if "bids_dir" in real and os.path.commonpath([real["bids_dir"], simulated]) == simulated:
        raise StudyError(
            f"bids_dir {config['bids_dir']}: lies in {OUT}/bids, where the simulated cohort is "
            "written. Choose another output_dir."
        )
    if "roi_values" in real and os.path.commonpath([real["roi_values"], tables]) == tables:
        raise StudyError(
            f"roi_values {config['roi_values']}: lies in {TAB}, where this study writes its own. "
            "Copy it elsewhere, or choose another output_dir."
        )
    if config["participants"] and SIMULATED:
        raise StudyError("participants is given without bids_dir or roi_values; add one of them.")
    if SIMULATED and not set(config["raters"]) <= {"A", "B", ATLAS}:
        raise StudyError(
            f"raters: the simulated raters are A and B (and {ATLAS}); got {config['raters']}."
        )
    given = [key for key in ATLAS_FILES if config[key]]
    if given and (lacking := {"atlas_template", "atlas_labels", "atlas_label_table"} - {*given}):
        raise StudyError(
            f"{', '.join(given)}: an atlas needs {', '.join(sorted(lacking))} too. Give them, or "
            "none of them for the built-in atlas."
        )


def check_writable():
    """Refuse an output folder that cannot be written, before any work; a dry run may look."""
    place = os.path.abspath(OUT)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not workflow.dryrun and not os.access(place, os.W_OK | os.X_OK):
        raise StudyError(
            f"output_dir {OUT}: {place} cannot be written (read-only disk, or no permission). "
            "Change the permission, or choose another output_dir."
        )


def check_dates(paths):
    """Refuse inputs dated in the future: Snakemake would fail every job that reads them."""
    for path in paths:
        if os.path.exists(path) and os.path.getmtime(path) > time.time() + 60:
            raise StudyError(
                f"{path}: is dated in the future ({time.ctime(os.path.getmtime(path))}). "
                f"Check the clock, or run: touch '{path}'"
            )


record.note_command_line()
check_paths()
check_writable()
DICOM_SOURCES = dicom_sources()
SCANS, LEFT_OUT = listed_scans()
OWN_SCANS = not SIMULATED and not FROM_TABLE  # a user's images: read and checked before use
EXCLUDED = decisions.excluded(decisions.read(config["decisions"]))  # reasons by participant
check_dates(
    [
        *(path for scan in SCANS.values() if scan for path in scan.magnitude + scan.phase),
        *(config[key] for key in (*GIVEN, *ATLAS_FILES) if config[key]),
    ]
)


wildcard_constraints:
    sub=r"sub-[A-Za-z0-9]+",
    scan=r"sub-[A-Za-z0-9]+(_(?!desc-|rater-)[a-z]+-[A-Za-z0-9]+)*",
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    rater=r"[A-Za-z0-9]+",


def fingerprinted(rule):
    """Return a rule's section of the configuration, and as `code` the fingerprint of its script's
    code and of the files it is given: Snakemake misses a file replaced under an older date."""
    section = config.get(rule, {})
    code = provenance.fingerprint(own(f"scripts/{rule}.py"), section)
    return {
        **section,
        "code": lambda wildcards: provenance.with_contents(code, given_files(rule, wildcards)),
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


def more_memory(megabytes):
    """Return a resource function that asks for more with each attempt."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def longer(minutes):
    """Return a runtime function [min] that asks for more with each attempt."""
    return lambda wildcards, attempt: minutes * 2 ** (attempt - 1)


def json_of(pattern):
    """Return the sidecar's name of an image's name."""
    return re.sub(r"\.nii(\.gz)?$", "", str(pattern)) + ".json"


def example_scan():
    """Return the first scan of a participant who is analysed."""
    return next(scan for scan in used_scans() if bids.participant_of(scan) not in EXCLUDED)


def drawing_raters():
    """Return the raters whose labels are given: all but the atlas, which a rule makes."""
    return [rater for rater in config["raters"] if rater != ATLAS]


def labelled_scans():
    """Return the scans to measure: all but those of the excluded that lack a rater's labels."""
    return [
        scan
        for scan in SCANS
        if SIMULATED
        or bids.participant_of(scan) not in EXCLUDED
        or all(os.path.exists(rater_labels(scan, rater)) for rater in drawing_raters())
    ]


def labelled_values(wildcards):
    """Return the measurements of all scans that can be used."""
    used = set(used_scans())
    chosen = [scan for scan in labelled_scans() if scan in used]
    return per_scan(rules.measure_rois.output.values, scans=chosen, rater=config["raters"])


def per_scan(pattern, scans=None, **more):
    """Fill a pattern for every scan (and every combination of further wildcards)."""
    return [
        path
        for scan in scans or SCANS
        for path in expand(pattern, scan=scan, folder=bids.scan_folder(scan), sub=scan, **more)
    ]


def per_used_scan(pattern, **more):
    """Fill a pattern for every scan that can be used, which a user's scans tell when read."""
    if not OWN_SCANS:
        return per_scan(pattern, **more)

    def paths(wildcards):
        return [
            path
            for scan in used_scans()
            for path in expand(pattern, scan=scan, folder=bids.scan_folder(scan), **more)
        ]

    return paths


def used_scans():
    """Return the scans that can be used; of a user's data once they were read."""
    if not OWN_SCANS:
        return list(SCANS)
    table = bids.read_tsv(checkpoints.list_scans.get().output.table, columns=["scan", "used"])
    return list(table.loc[table["used"] == "yes", "scan"])


def per_one(pattern, scan):
    """Fill a pattern for one scan."""
    return expand(pattern, scan=scan, folder=bids.scan_folder(scan))[0]


def raw_images(part):
    """Return an input function: one part (magnitude or phase) of a scan, a file per echo."""

    def images(wildcards):
        if SIMULATED:
            return expand(getattr(rules.simulate_scan.output, part), sub=wildcards.scan)
        return [str(path) for path in getattr(SCANS[wildcards.scan], part)]

    return images


def raw_sidecars(wildcards):
    """Return the JSON files that describe a scan's echoes, inherited ones included."""
    images = [*raw_images("magnitude")(wildcards), *raw_images("phase")(wildcards)]
    if SIMULATED or DICOM:
        return [json_of(path) for path in images]
    return sorted({str(json) for image in images for json in bids.sidecars(image)})


def own_mask(wildcards):
    """Return the user's brain mask of a scan, if there is one."""
    folder = bids.scan_folder(wildcards.scan)
    path = f"{BIDS}/derivatives/masks/{folder}/anat/{wildcards.scan}_desc-brain_mask.nii.gz"
    return [path] if not SIMULATED and os.path.exists(path) else []


def given_derivative(wanted, scan, ending):
    """Return a scan's file in a derivative of the dataset, uncompressed where only that exists."""
    path = f"{BIDS}/derivatives/{wanted}/{bids.scan_folder(scan)}/anat/{scan}_{ending}.nii.gz"
    plain = path.removesuffix(".gz")
    return plain if os.path.exists(plain) and not os.path.exists(path) else path


def rater_labels(scan, rater):
    """Return the label map of one rater for one scan; the rater ``atlas`` is a registration."""
    if rater == ATLAS:
        return per_one(rules.register_atlas.output.labels, scan)
    if SIMULATED:
        return expand(rules.simulate_scan.output[f"rater_{rater.lower()}"], sub=scan)[0]
    return given_derivative("raters", scan, f"desc-rater{rater}_dseg")


def lesion_mask(wildcards):
    """Return the lesion mask of a scan, if there is one."""
    path = given_derivative("lesions", wildcards.scan, "label-lesion_mask")
    return [path] if not SIMULATED and os.path.exists(path) else []


def scans_table(wildcards):
    """Return the table of used and left-out scans, where the scans are a user's."""
    return [rules.list_scans.output.table] if OWN_SCANS else []


def source_dataset():
    """Return where the scans lie, as seen from the maps."""
    return os.path.relpath(CONVERTED if DICOM else BIDS, f"{OUT}/derivatives/qsm").replace(
        os.sep, "/"
    )


def existing_labels(wildcards):
    """Return the given label maps of a scan that are there."""
    found = [rater_labels(wildcards.scan, rater) for rater in drawing_raters()]
    return [path for path in found if os.path.exists(path)]


def first_rater_labels(wildcards):
    """Return the first rater's label map of a scan, if there is one."""
    rater = config["raters"][0]
    path = rater_labels(wildcards.scan, rater)
    return [path] if SIMULATED or rater == ATLAS or os.path.exists(path) else []


def all_labels(wildcards):
    """Return every rater's label map of every scan, rater by rater for each scan."""
    return [rater_labels(scan, rater) for scan in SCANS for rater in config["raters"]]


def template_outline(wildcards):
    """Return the registered template's outline, where the atlas is a rater."""
    return [rules.register_atlas.output.outline] if ATLAS in config["raters"] else []


def atlas_file(key, built_in):
    """Return a file of the user's atlas, or of the built-in one where the user gives none."""
    if not config["atlas_template"]:
        return built_in
    return config[key] or []


def drawn_labels(wildcards):
    """Return the label maps of a scan that exist or will be made, by rater."""
    paths = {rater: rater_labels(wildcards.scan, rater) for rater in config["raters"]}
    return {
        rater: path
        for rater, path in paths.items()
        if SIMULATED or rater == ATLAS or os.path.exists(path)
    }


def label_table(wildcards):
    """Return the table that explains a rater's integers: the rater's own, or that of all."""
    rater = getattr(wildcards, "rater", config["raters"][0])
    if rater == ATLAS:
        return own("resources/labels.tsv")
    if SIMULATED:
        return rules.simulate_truth.output.rater_labels
    own_table = f"{BIDS}/derivatives/raters/desc-rater{rater}_dseg.tsv"
    return own_table if os.path.exists(own_table) else f"{BIDS}/derivatives/raters/dseg.tsv"


def mosaic_label_table(wildcards):
    """Return the label table of the dataset, or the package's where the dataset has none."""
    path = label_table(wildcards)
    return path if SIMULATED or os.path.exists(path) else own("resources/labels.tsv")


def in_archive(path, name, category, label, shows):
    """Return an output that Snakemake's own report shows, with its caption."""
    labels = {"item": label, "shows": shows}
    return report(path, caption=f"../report/archive/{name}.rst", category=category, labels=labels)


def acquisition_sidecars(wildcards):
    """Return the JSON files that describe the echoes of an example, where there are scans."""
    return [] if FROM_TABLE else raw_sidecars(SimpleNamespace(scan=example_scan()))


def example_map(wildcards):
    """Return the map of an example, where there are scans."""
    return [] if FROM_TABLE else per_scan(rules.invert_dipole.output.chi, scans=[example_scan()])


def rule_graph(wildcards):
    """Return the rules that the report depends on, by the files they hand on."""
    scan = next(iter(SCANS), "sub-x")
    example = {"scan": scan, "sub": scan, "folder": bids.scan_folder(scan)}
    example |= {"rater": config["raters"][0]}
    return record.rule_graph(workflow.rules, "build_report", SimpleNamespace(**example))


def report_templates():
    """Return the files from which the report is made."""
    found = sorted(Path(own("workflow/report")).rglob("*.*"))
    return [path.as_posix() for path in found if path.is_file()]


def simulated_data():
    """Tell whether the data are simulated: made here, or by an earlier run and given back."""
    beside = os.path.dirname(str(config["participants"])) if FROM_TABLE else BIDS
    description = os.path.join(beside, "dataset_description.json")
    if SIMULATED or not os.path.exists(description):
        return SIMULATED
    makers = bids.read_json(description).get("GeneratedBy", [])
    return any(str(maker.get("Name", "")).startswith("qsmstudy") for maker in makers)


def participants_table(wildcards):
    """Return the table of the participants who are analysed."""
    return rules.select_participants.output.analysed


def listed_participants(wildcards):
    """Return the table of the participants: of a user's, those with a scan that can be used."""
    if OWN_SCANS:
        return rules.match_participants.output.matched
    return given_participants(wildcards)


def given_participants(wildcards):
    """Return the participants' table: given, simulated, or that of the dataset."""
    if config["participants"]:
        return config["participants"]
    if SIMULATED:
        return rules.simulate_truth.output.participants
    if FROM_TABLE:
        raise StudyError("roi_values is given without participants; add participants=FILE.")
    return f"{BIDS}/participants.tsv"


def calibrated_cohort(name):
    """Return a file of the calibrated cohort, for the default study only."""
    return [own(f"resources/cohort/{name}")] if SIMULATED else []


def roi_values_table(wildcards):
    """Return the measurements: given, or aggregated from the maps."""
    return config["roi_values"] or rules.aggregate_rois.output.roi_values


def check_whole_study():
    """Refuse a whole study whose labels or participants do not cover its scans, before any work."""
    if SIMULATED and config["participant_label"]:
        raise StudyError(
            "participant_label: the simulated study needs all its participants. Ask for the maps "
            "alone (target chimaps)."
        )
    if SIMULATED or FROM_TABLE:
        return
    raters = drawing_raters()
    labels = [rater_labels(scan, rater) for scan in labelled_scans() for rater in raters]
    if missing := [path for path in labels if not os.path.exists(path)]:
        raise StudyError(
            f"{len(missing)} of {len(labels)} label maps are missing, the first: {missing[0]}. Add "
            "them, name the raters you have (raters), or ask for the maps alone (target chimaps)."
        )
    table = given_participants(None)
    listed = set(bids.read_tsv(table, columns=["participant_id"])["participant_id"])
    found = {bids.participant_of(scan) for scan in [*SCANS, *LEFT_OUT]}
    scanned = {bids.participant_of(scan) for scan in SCANS}
    unscanned = set() if config["participant_label"] else listed - found
    if unscanned or scanned - listed:
        raise StudyError(
            f"{table}: lists {', '.join(sorted(unscanned)) or 'nobody'} without a scan, and "
            f"lacks {', '.join(sorted(scanned - listed)) or 'nobody'}. Give a table of exactly the "
            "scanned participants (participants=FILE), or choose scans (participant_label)."
        )
    sessions = [(bids.participant_of(scan), bids.session_of(scan)) for scan in SCANS]
    if several := sorted({who for who, _ in sessions if sessions.count((who, _)) > 1}):
        raise StudyError(
            f"{', '.join(several)}: the tables need one scan per session; several are there. "
            'Choose one by select, e.g. {run: "1"}, or ask for the maps alone (target chimaps).'
        )


def study_targets(wildcards):
    """Return what the default target makes."""
    check_whole_study()
    targets = [*TABLES, *FIGURES, rules.build_report.output.report, *map_targets(wildcards)]
    targets += rules.print_tables.output.pages
    if SIMULATED:
        targets += [rules.compare_published.output.scorecard, rules.compare_truth.output.validation]
    if SIMULATED and ATLAS in config["raters"]:
        targets += [rules.compare_labels.output.summary]
    return targets


def map_targets(wildcards):
    """Return the maps of all scans, what describes them, and the word that none was left out."""
    if FROM_TABLE:
        return []
    confirmed = [rules.confirm_scans.output.confirmation] if OWN_SCANS else []
    return [
        *per_scan(rules.invert_dipole.output.chi),
        rules.describe_maps.output.description,
        *confirmed,
    ]


def from_images(pattern):
    """Return an input function for what needs scans: an error when only a table is given."""

    def paths(wildcards):
        if FROM_TABLE:
            raise StudyError("roi_values is given: there are no scans to make this target from.")
        return per_scan(pattern)

    return paths


def truth_comparison(wildcards):
    """Return the comparison with the simulated truth: an error for a user's own data."""
    if not SIMULATED:
        raise StudyError("validation: only the simulated cohort has a known truth.")
    return rules.compare_truth.output.validation


def beside_scans():
    """Yield what a user's dataset holds beside the images: sidecars, labels, masks, tables."""
    for name, scan in SCANS.items():
        if scan:
            yield from map(json_of, scan.magnitude + scan.phase)
            yield from (rater_labels(name, rater) for rater in drawing_raters())
            yield from lesion_mask(SimpleNamespace(scan=name))
    if not FROM_TABLE and not SIMULATED:
        yield from (f"{BIDS}/derivatives/raters/dseg.tsv", f"{BIDS}/participants.tsv")


check_dates(beside_scans())
