rule compare_published:
    """Compare every published number with the reproduced one."""
    input:
        published=repo_path("resources/published.yaml"),
        tables=[f"{TAB}/{table.name}.tsv" for table in catalogue.OF_PAPER],
        calibrated_participants=(
            [repo_path("resources/cohort/participants.tsv")] if source.has_published else []
        ),
        calibrated_values=(
            [repo_path("resources/cohort/roi_values.tsv")] if source.has_published else []
        ),
    output:
        scorecard=f"{TAB}/scorecard.tsv",
        conclusions=f"{TAB}/conclusions.tsv",
    params:
        **fingerprinted("compare_published"),
        study=STUDY,
        conventions={  # of the tables that the paper has
            table.rule: configuration.options_of(config, table.rule)
            for table in catalogue.OF_PAPER
            if table.rule in config
        },
    script:
        "../../scripts/compare_published.py"


rule audit_published:
    """Check whether a paper's printed numbers agree with each other."""
    input:
        published=config["published"] or repo_path("resources/published.yaml"),
    output:
        table=f"{TAB}/audit.tsv",
    params:
        **fingerprinted("audit_published"),
    script:
        "../../scripts/audit_published.py"


rule compare_truth:
    """Compare the measured with the simulated susceptibility of every region."""
    input:
        nuclei=expand(rules.simulate_scan.output.nuclei, sub=simulated_files.names),
        roi_means=rules.summarize_rois.output.roi_means,
    output:
        validation=f"{TAB}/validation.tsv",
    params:
        **fingerprinted("compare_truth"),
        study=STUDY,
    script:
        "../../scripts/compare_truth.py"


rule compare_labels:
    """Compare every label map with the simulated truth."""
    input:
        labels=lambda wildcards: [
            labels(scan, rater) for scan in source.scans for rater in source.raters
        ],
        true_labels=per_scan(rules.simulate_scan.output.true_labels),
        chi=per_scan(rules.invert_dipole.output.chi),
        label_table=repo_path("resources/labels.tsv"),
    output:
        table=f"{TAB}/label_overlap.tsv",
        summary=f"{TAB}/label_overlap_summary.tsv",
    resources:
        runtime=engine.growing(20),
    params:
        **fingerprinted("compare_labels"),
        study=STUDY,
    script:
        "../../scripts/compare_labels.py"
