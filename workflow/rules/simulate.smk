rule calibrate_cohort:
    """Make again the table of 64 participants whose analysis gives the published numbers."""
    input:
        published=own("resources/published.yaml"),
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
        cohort_participants=own("resources/cohort/participants.tsv"),
        cohort_values=own("resources/cohort/roi_values.tsv"),
        response=pilot_response,
        labels=own("resources/labels.tsv"),
    output:
        participants=f"{OUT}/bids/participants.tsv",
        participants_json=f"{OUT}/bids/participants.json",
        dataset_description=f"{OUT}/bids/dataset_description.json",
        readme=f"{OUT}/bids/README.md",
        rater_description=f"{OUT}/bids/derivatives/raters/dataset_description.json",
        rater_labels=f"{OUT}/bids/derivatives/raters/dseg.tsv",
        truth=[f"{OUT}/truth/{name}.json" for name in simulated_names()],
    params:
        **fingerprinted("simulate_truth"),
    script:
        "../../scripts/simulate_truth.py"


rule simulate_scan:
    """Scan one simulated head: echoes of magnitude and phase, two raters' label maps."""
    input:
        truth=f"{OUT}/truth/{{sub}}.json",
        anatomy=own("resources/anatomy/nuclei_ellipsoids.json"),
    output:
        [
            f"{OUT}/bids/{{sub}}/anat/{{sub}}_echo-{echo}_part-{part}_MEGRE.json"
            for part in ("mag", "phase")
            for echo in ECHOES
        ],
        [
            f"{OUT}/bids/derivatives/raters/{{sub}}/anat/{{sub}}_desc-rater{rater}_dseg.json"
            for rater in "AB"
        ],
        magnitude=[
            f"{OUT}/bids/{{sub}}/anat/{{sub}}_echo-{echo}_part-mag_MEGRE.nii.gz" for echo in ECHOES
        ],
        phase=[
            f"{OUT}/bids/{{sub}}/anat/{{sub}}_echo-{echo}_part-phase_MEGRE.nii.gz"
            for echo in ECHOES
        ],
        rater_a=f"{OUT}/bids/derivatives/raters/{{sub}}/anat/{{sub}}_desc-raterA_dseg.nii.gz",
        rater_b=f"{OUT}/bids/derivatives/raters/{{sub}}/anat/{{sub}}_desc-raterB_dseg.nii.gz",
        nuclei=f"{OUT}/truth/{{sub}}_nuclei.tsv",
        true_chi=f"{OUT}/truth/{{sub}}_chi.nii.gz",
        true_labels=f"{OUT}/truth/{{sub}}_dseg.nii.gz",
        true_mask=f"{OUT}/truth/{{sub}}_mask.nii.gz",
        true_local_field=f"{OUT}/truth/{{sub}}_localfield.nii.gz",
    resources:
        mem_mb=engine.growing(4000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("simulate_scan"),
    script:
        "../../scripts/simulate_scan.py"
