rule figure1:
    """Draw the regions on axial slices of the first analysed participant's map."""
    input:
        chi=example_map,
        labels=lambda wildcards: rater_labels(example_scan(), config["raters"][0]),
        label_table=label_table,
    output:
        svg=in_archive(
            f"{FIG}/figure1.svg", "figure1", "Figures", "Figure 1", "regions of interest"
        ),
        png=f"{FIG}/figure1.png",
    params:
        **fingerprinted("figure1"),
        study=STUDY,
    script:
        "../../scripts/figure1.py"


rule figure2:
    """Draw the groups' susceptibility in every region."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        table3=rules.table3.output.table,
    output:
        svg=in_archive(
            f"{FIG}/figure2.svg", "figure2", "Figures", "Figure 2", "susceptibility by group"
        ),
        png=f"{FIG}/figure2.png",
    params:
        **fingerprinted("figure2"),
        study=STUDY,
    script:
        "../../scripts/figure2.py"


rule figure3:
    """Draw the receiver operating characteristic curves."""
    input:
        curves=rules.table4.output.roc_curves,
        table4=rules.table4.output.table,
    output:
        svg=in_archive(
            f"{FIG}/figure3.svg", "figure3", "Figures", "Figure 3", "discrimination of the groups"
        ),
        png=f"{FIG}/figure3.png",
    params:
        **fingerprinted("figure3"),
        study=STUDY,
    script:
        "../../scripts/figure3.py"


rule figure4:
    """Draw one variable of the patients against another, by default age and mRS at admission."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        correlations=rules.correlate_scores.output.table,
        ages=rules.correlate_age.output.table,
    output:
        svg=in_archive(
            f"{FIG}/figure4.svg",
            "figure4",
            "Figures",
            "Figure 4",
            "age and disability at admission",
        ),
        png=f"{FIG}/figure4.png",
    params:
        **fingerprinted("figure4"),
        study=STUDY,
    script:
        "../../scripts/figure4.py"


rule figure5:
    """Draw left against right in every region and group."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        asymmetry=rules.compare_hemispheres.output.table,
    output:
        svg=in_archive(f"{FIG}/figure5.svg", "figure5", "Figures", "Figure 5", "left against right"),
        png=f"{FIG}/figure5.png",
    params:
        **fingerprinted("figure5"),
        study=STUDY,
    script:
        "../../scripts/figure5.py"


rule figure6:
    """Draw every region's power and the size of a replication."""
    input:
        table=rules.estimate_power.output.table,
    output:
        svg=in_archive(
            f"{FIG}/figure6.svg", "figure6", "Figures", "Figure 6", "power and replication"
        ),
        png=f"{FIG}/figure6.png",
    params:
        **fingerprinted("figure6"),
        study=STUDY,
        power=config["estimate_power"],
    script:
        "../../scripts/figure6.py"


rule draw_mosaic:
    """Draw one scan's magnitude, mask, field, map and labels in three planes."""
    input:
        combined=rules.fit_field.output.combined,
        mask=rules.extract_brain.output.mask,
        local_field=rules.remove_background.output.local_field,
        chi=rules.invert_dipole.output.chi,
        labels=first_rater_labels,
        template_outline=template_outline,
        label_table=mosaic_label_table,
    output:
        mosaic=in_archive(
            f"{FIG}/qc/{{folder}}/{{scan}}.png", "mosaic", "Quality", "{scan}", "mosaic"
        ),
    priority: 50
    params:
        **fingerprinted("draw_mosaic"),
        study=STUDY,
    script:
        "../../scripts/draw_mosaic.py"
