rule build_atlas:
    """Draw the built-in atlas: template images and labels."""
    input:
        anatomy=repo_path("resources/anatomy/nuclei_ellipsoids.json"),
        label_table=repo_path("resources/labels.tsv"),
    output:
        [f"{OUT}/atlas/template_{name}.json" for name in ("desc-magnitude", "Chimap", "dseg")],
        magnitude=f"{OUT}/atlas/template_desc-magnitude.nii.gz",
        chi=f"{OUT}/atlas/template_Chimap.nii.gz",
        labels=f"{OUT}/atlas/template_dseg.nii.gz",
    params:
        **fingerprinted("build_atlas"),
    script:
        "../../scripts/build_atlas.py"


rule register_atlas:
    """Label one scan by an atlas registered to its magnitude and susceptibility."""
    input:
        combined=rules.fit_field.output.combined,
        chi=rules.invert_dipole.output.chi,
        mask=rules.extract_brain.output.mask,
        template=atlas_file("atlas_template", rules.build_atlas.output.magnitude),
        template_chi=atlas_file("atlas_chi", rules.build_atlas.output.chi),
        template_labels=atlas_file("atlas_labels", rules.build_atlas.output.labels),
        template_table=atlas_file("atlas_label_table", repo_path("resources/labels.tsv")),
        label_table=repo_path("resources/labels.tsv"),
    output:
        f"{QSM}_desc-atlas_dseg.json",
        labels=f"{QSM}_desc-atlas_dseg.nii.gz",
        outline=f"{QSM}_desc-template_mask.nii.gz",
    priority: 45
    resources:
        runtime=engine.growing(20),
    params:
        **fingerprinted("register_atlas"),
    script:
        "../../scripts/register_atlas.py"


rule measure_rois:
    """Measure one rater's regions on one map."""
    input:
        json_of(rules.invert_dipole.output.chi),
        chi=rules.invert_dipole.output.chi,
        labels=lambda wildcards: labels(wildcards.scan, wildcards.rater),
        label_table=lambda wildcards: source.label_table(wildcards.rater),
        lesion=of_scan(source.lesion_mask),
    output:
        values=f"{OUT}/measurements/{{folder}}/{{scan}}_rater-{{rater}}.tsv",
    priority: 50
    params:
        **fingerprinted("measure_rois"),
        nuclei=config["nuclei"],
        scan=lambda wildcards: wildcards.scan,
        rater=lambda wildcards: wildcards.rater,
    script:
        "../../scripts/measure_rois.py"


rule aggregate_rois:
    """Gather all measurements in one table."""
    input:
        values=labelled_values,
    output:
        roi_values=f"{TAB}/roi_values.tsv",
    params:
        **fingerprinted("aggregate_rois"),
        study=STUDY,
    script:
        "../../scripts/aggregate_rois.py"


rule select_participants:
    """Divide the participants by the decisions made after looking at the scans."""
    input:
        participants=listed_participants,
        decisions=config["decisions"] or [],
    output:
        analysed=f"{TAB}/participants.tsv",
        excluded=f"{TAB}/excluded.tsv",
    params:
        **fingerprinted("select_participants"),
        study=STUDY,
    script:
        "../../scripts/select_participants.py"


rule summarize_rois:
    """Average each region over its slices and over the raters, under one reference."""
    input:
        roi_values=roi_values_table,
        excluded=rules.select_participants.output.excluded,
    output:
        roi_means=f"{TAB}/roi_means.tsv",
    params:
        **fingerprinted("summarize_rois"),
        study=STUDY,
    script:
        "../../scripts/summarize_rois.py"


rule summarize_quality:
    """Gather what each step reported of itself, with outliers marked."""
    input:
        field=per_used_scan(json_of(rules.fit_field.output.field)),
        r2star=per_used_scan(json_of(rules.fit_field.output.r2star)),
        mask=per_used_scan(json_of(rules.extract_brain.output.mask)),
        local_field=per_used_scan(json_of(rules.remove_background.output.local_field)),
        chi=per_used_scan(json_of(rules.invert_dipole.output.chi)),
    output:
        qc=f"{TAB}/qc.tsv",
    params:
        **fingerprinted("summarize_quality"),
    script:
        "../../scripts/summarize_quality.py"
