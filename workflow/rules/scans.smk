# A user's scans are read whole before they are used: one that is damaged or incomplete is left out,
# named in the report, and makes the run end with an error once everything else is made.
from qsmstudy.recon.options import ReadSignal


rule convert_dicoms:
    """Convert a scan's DICOM files by dcm2niix."""
    output:
        [
            json_of(path)
            for part in ("mag", "phase")
            for path in converted_files.echoes("{scan}", part, folder="{folder}")
        ],
        magnitude=converted_files.echoes("{scan}", "mag", folder="{folder}"),
        phase=converted_files.echoes("{scan}", "phase", folder="{folder}"),
    priority: 100
    resources:
        mem_mb=engine.growing(2000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("convert_dicoms"),
        scan=lambda wildcards: wildcards.scan,
        folder=lambda wildcards: str(source.dicoms[wildcards.scan].folder),
        series=lambda wildcards: source.dicoms[wildcards.scan].series,
        state=lambda wildcards: dicom_mapping.state_of(source.dicoms[wildcards.scan].folder),
    script:
        "../../scripts/convert_dicoms.py"


rule check_scan:
    """Read a scan's files and tell whether they can be used."""
    input:
        of_scan(source.sidecars),
        magnitude=of_scan(source.magnitude),
        phase=of_scan(source.phase),
        labels=of_scan(source.given_labels),
        own_mask=of_scan(source.brain_mask),
        lesion=of_scan(source.lesion_mask),
    output:
        status=f"{OUT}/scans/{{scan}}.json",
    priority: 100
    resources:
        mem_mb=engine.growing(2000),
    params:
        **fingerprinted("check_scan"),
        scan=lambda wildcards: wildcards.scan,
        options=ReadSignal.in_config(config).report(),  # what of fit_field decides
    script:
        "../../scripts/check_scan.py"


checkpoint list_scans:
    """Gather which scans are used and why others are left out."""
    input:
        status=per_scan(rules.check_scan.output.status),
    output:
        table=f"{TAB}/scans.tsv",
    priority: 100
    localrule: True  # a second's work: on a cluster no job of its own
    params:
        **fingerprinted("list_scans"),
        left_out=source.left_out,
        n_echoes=config["n_echoes"],
    script:
        "../../scripts/list_scans.py"


rule match_participants:
    """Keep the participants who have a scan that can be used."""
    input:
        participants=lambda wildcards: source.participants,
        scans=rules.list_scans.output.table,
    output:
        matched=f"{TAB}/matched.tsv",
    localrule: True  # a second's work: on a cluster no job of its own
    params:
        **fingerprinted("match_participants"),
    script:
        "../../scripts/match_participants.py"


rule confirm_scans:
    """Fail if a scan was left out."""
    input:
        scans=rules.list_scans.output.table,
    output:
        confirmation=f"{OUT}/scans/confirmation.json",
    priority: -10
    localrule: True  # a second's work: on a cluster no job of its own
    params:
        **fingerprinted("confirm_scans"),
    script:
        "../../scripts/confirm_scans.py"


rule describe_maps:
    """Describe the maps as a BIDS derivative dataset."""
    output:
        description=f"{OUT}/derivatives/qsm/dataset_description.json",
        readme=f"{OUT}/derivatives/qsm/README.md",
        ignore=f"{OUT}/derivatives/qsm/.bidsignore",
        converted=source.converted_descriptions,
    localrule: True  # a second's work: on a cluster no job of its own
    params:
        **fingerprinted("describe_maps"),
        title=config["title"],
        source=Path(os.path.relpath(source.raw_dataset, f"{OUT}/derivatives/qsm")).as_posix(),
    script:
        "../../scripts/describe_maps.py"
