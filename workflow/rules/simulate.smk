rule calibrate_cohort:
    """Make again the table of 64 participants whose analysis gives the published numbers."""
    input:
        published=repo_path("resources/published.yaml"),
    output:
        participants=f"{OUT}/cohort/participants.tsv",
        roi_values=f"{OUT}/cohort/roi_values.tsv",
    resources:
        runtime=engine.growing(30),
    params:
        **fingerprinted("calibrate_cohort"),
    script:
        "../../scripts/calibrate_cohort.py"


rule simulate_truth:
    """Set up the cohort: participants, what is to be measured, heads, the raters' errors."""
    input:
        cohort_participants=repo_path("resources/cohort/participants.tsv"),
        cohort_values=repo_path("resources/cohort/roi_values.tsv"),
        response=(
            [repo_path("resources/cohort/response.tsv")]
            if config["simulate_truth"]["values"] == "measured"
            else []
        ),
        labels=repo_path("resources/labels.tsv"),
    output:
        participants=simulated_files.participants,
        participants_json=f"{simulated_files.folder}/participants.json",
        dataset_description=f"{simulated_files.folder}/dataset_description.json",
        readme=f"{simulated_files.folder}/README.md",
        rater_description=f"{simulated_files.folder}/derivatives/raters/dataset_description.json",
        rater_labels=simulated_files.label_table,
        truth=[f"{simulated_files.truth}/{name}.json" for name in simulated_files.names],
    params:
        **fingerprinted("simulate_truth"),
    script:
        "../../scripts/simulate_truth.py"


rule simulate_scan:
    """Scan one simulated head: echoes of magnitude and phase, two raters' label maps."""
    input:
        truth=f"{simulated_files.truth}/{{sub}}.json",
        anatomy=repo_path("resources/anatomy/nuclei_ellipsoids.json"),
    output:
        [
            json_of(path)
            for part in ("mag", "phase")
            for path in simulated_files.echoes("{sub}", part)
        ],
        [json_of(simulated_files.labels("{sub}", rater)) for rater in layout.SIMULATED_RATERS],
        magnitude=simulated_files.echoes("{sub}", "mag"),
        phase=simulated_files.echoes("{sub}", "phase"),
        rater_a=simulated_files.labels("{sub}", "A"),
        rater_b=simulated_files.labels("{sub}", "B"),
        nuclei=f"{simulated_files.truth}/{{sub}}_nuclei.tsv",
        true_chi=f"{simulated_files.truth}/{{sub}}_chi.nii.gz",
        true_labels=f"{simulated_files.truth}/{{sub}}_dseg.nii.gz",
        true_mask=f"{simulated_files.truth}/{{sub}}_mask.nii.gz",
        true_local_field=f"{simulated_files.truth}/{{sub}}_localfield.nii.gz",
    resources:
        mem_mb=engine.growing(4000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("simulate_scan"),
    script:
        "../../scripts/simulate_scan.py"
