# Input functions; no rules.


def pilot_response(wildcards):
    """Return what a pilot study measured of known nuclei, where the cohort makes up for it."""
    if config["simulate_truth"]["values"] == "measured":
        return [own("resources/cohort/response.tsv")]
    return []


def dicom_state(wildcards):
    """Return name, size and date of a scan's DICOM files, so that a change is noticed."""
    from qsmstudy.dataset import dicom

    return dicom.state_of(DICOM_SOURCES[wildcards.scan].folder)


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


def raw_images(part):
    """Return an input function: one part (magnitude or phase) of a scan, a file per echo."""

    def images(wildcards):
        if SIMULATED:
            return expand(getattr(rules.simulate_scan.output, part), sub=wildcards.scan)
        return [str(path) for path in getattr(SCANS[wildcards.scan], part)]

    return images


def raw_sidecars(wildcards):
    """Return the JSON files that describe a scan's echoes, inherited ones included."""
    return list(sidecars_of(wildcards.scan))


@cache
def sidecars_of(scan):
    """Return the JSON files of a scan, looked for once; several rules ask, each more than once."""
    named = SimpleNamespace(scan=scan)
    images = [*raw_images("magnitude")(named), *raw_images("phase")(named)]
    if SIMULATED or DICOM:
        return tuple(json_of(path) for path in images)
    found = {str(json) for image in images for json in bids.sidecars(image, listing=list_json)}
    return tuple(sorted(found))


list_json = cache(bids.list_json)


def own_mask(wildcards):
    """Return the user's brain mask of a scan, if there is one."""
    path = given_derivative("masks", wildcards.scan, "desc-brain_mask")
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


def drawn_label_tables(wildcards):
    """Return the label table of each rater whose label map is drawn."""
    raters = [SimpleNamespace(rater=rater) for rater in drawn_labels(wildcards)]
    return [mosaic_label_table(rater) for rater in raters]


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
    folder = os.path.dirname(str(config["participants"])) if FROM_TABLE else BIDS
    description = os.path.join(folder, "dataset_description.json")
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
    """Return what describes the maps, and the word that no scan was left out."""
    if FROM_TABLE:
        return []
    return [rules.describe_maps.output.description, *confirmed_scans(wildcards)]


def confirmed_scans(wildcards):
    """Return the word that no scan was left out; without it the run fails, when all else is made."""
    return [rules.confirm_scans.output.confirmation] if OWN_SCANS else []


def used_maps(wildcards):
    """Return the maps of the scans that can be used; those of a batch are chosen before any check."""
    if FROM_TABLE:
        return []
    chosen = SCANS if workflow.dag_settings.batch else used_scans()
    return per_scan(rules.invert_dipole.output.chi, scans=chosen)


def truth_comparison(wildcards):
    """Return the comparison with the simulated truth: an error for a user's own data."""
    if not SIMULATED:
        raise StudyError("validation: only the simulated cohort has a known truth.")
    return rules.compare_truth.output.validation
