# Which scans a study has, and what is refused before any work; no rules.


def simulated_names():
    """Return the simulated participants, sub-01, sub-02, ..."""
    width = max(2, len(str(N_SIMULATED)))
    return [f"sub-{i:0{width}d}" for i in range(1, N_SIMULATED + 1)]


def listed_scans():
    """Return the scans to reconstruct by name, why others are left out, and who takes no part.

    Those of a user's dataset carry their files.
    """
    if FROM_TABLE:
        return {}, {}, frozenset()
    labels = config["participant_label"]
    if SIMULATED:
        wanted = labels and {f"sub-{label.removeprefix('sub-')}" for label in labels}
        names = [name for name in simulated_names() if not wanted or name in wanted]
        return dict.fromkeys(names), {}, frozenset()
    if DICOM:
        found = converted_scans(labels)
    else:
        found = scans.find_scans(
            BIDS, participants=labels, select=config["select"], n_echoes=config["n_echoes"]
        )
    for name, reason in found.left_out.items():
        print(f"{name} is left out: {reason}", file=sys.stderr)
    if not found.scans:
        raise StudyError(f"{BIDS}: no scan can be used; the reasons stand above.")
    return {scan.name: scan for scan in found.scans}, found.left_out, found.unselected


def dicom_sources():
    """Return where each scan's DICOM files lie, by the scan's name."""
    if not DICOM:
        return {}
    if config["bids_dir"]:
        raise StudyError("dicom_dir and bids_dir are both given; keep one of them.")
    from qsmstudy.dataset import dicom  # here, for only these studies need it

    sources = dicom.read_mapping(dicom_mapping(), dicom_dir=config["dicom_dir"])
    return {source.name: source for source in sources}


def dicom_mapping():
    """Return the table that says which folder of DICOM files is whose."""
    return config["dicom_mapping"] or os.path.join(config["dicom_dir"], "mapping.tsv")


def converted_echoes(part):
    """Return the pattern of every echo's converted image of one part."""
    n = config["n_echoes"]
    return [
        f"{CONVERTED}/{{folder}}/anat/{{scan}}_echo-{echo}_part-{part}_MEGRE.nii.gz"
        for echo in range(1, (n if isinstance(n, int) else 1) + 1)
    ]


def converted_scans(labels):
    """Choose among the scans that the DICOM mapping names, with the files that they will have."""
    if not isinstance(config["n_echoes"], int):
        raise StudyError(
            "dicom_dir: n_echoes must be a number; a scan with fewer echoes is then an error. "
            "Give the protocol's, e.g. n_echoes=5."
        )
    named = []
    for name in DICOM_SOURCES:
        files = {
            part: tuple(
                Path(expand(pattern, scan=name, folder=bids.scan_folder(name))[0])
                for pattern in converted_echoes(part)
            )
            for part in ("mag", "phase")
        }
        named.append(scans.ScanFiles(name, files["mag"], files["phase"]))
    return scans.choose_scans(
        named, participants=labels, select=config["select"], where=dicom_mapping()
    )


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


def check_beside():
    """Refuse a mask or label map that no scan would take: its scan would go on without it."""
    strays = stray.stray_files(BIDS, SCANS, others=[*LEFT_OUT, *UNSELECTED])
    lines = [
        f"- {path}: belongs to no scan that is there. "
        + (f"Name it {' or '.join(expected)}" if expected else "Name it as one of the scans")
        for path, expected in strays.items()
    ]
    if lines:
        more = [f"- and {len(lines) - 10} more"] if len(lines) > 10 else []
        raise StudyError(
            "Masks or label maps would not be used:\n"
            + "\n".join([*lines[:10], *more])
            + "\nRename them (a scan's name is in tables/scans.tsv and in its maps' names), or move "
            "them out of these folders."
        )


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
    found = {scans.owner(name)[0] for name in [*SCANS, *LEFT_OUT]}
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


def beside_scans():
    """Yield what a user's dataset holds beside the images: sidecars, labels, masks, tables."""
    for name, scan in SCANS.items():
        if scan:
            yield from sidecars_of(name)
            yield from (rater_labels(name, rater) for rater in drawing_raters())
            yield from lesion_mask(SimpleNamespace(scan=name))
            yield from own_mask(SimpleNamespace(scan=name))
    if not FROM_TABLE and not SIMULATED:
        yield from (f"{BIDS}/derivatives/raters/dseg.tsv", f"{BIDS}/participants.tsv")


record.note_command_line()
check_paths()
check_writable()
DICOM_SOURCES = dicom_sources()
SCANS, LEFT_OUT, UNSELECTED = listed_scans()
OWN_SCANS = not SIMULATED and not FROM_TABLE  # a user's images: read and checked before use
EXCLUDED = decisions.excluded(decisions.read(config["decisions"]))  # reasons by participant
if workflow.is_main_process:  # what its jobs read was looked at before they started
    check_dates(
        [
            *(path for scan in SCANS.values() if scan for path in scan.magnitude + scan.phase),
            *(config[key] for key in (*GIVEN, *ATLAS_FILES) if config[key]),
        ]
    )
    check_dates(beside_scans())
    if OWN_SCANS:
        check_beside()
