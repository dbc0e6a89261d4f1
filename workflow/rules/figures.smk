rule figure1:
    """Draw the regions on axial slices of the first analysed participant's map."""
    input:
        chi=example_map,
        labels=lambda wildcards: labels(example_scan(), source.raters[0]),
        label_table=source.label_table(source.raters[0]),
    output:
        svg=figure_in_archive("figure1"),
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
        svg=figure_in_archive("figure2"),
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
        svg=figure_in_archive("figure3"),
        png=f"{FIG}/figure3.png",
    params:
        **fingerprinted("figure3"),
        study=STUDY,
    script:
        "../../scripts/figure3.py"


rule figure4:
    """Draw one variable of the patients against another."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        correlations=rules.correlate_scores.output.table,
        ages=rules.correlate_age.output.table,
    output:
        svg=figure_in_archive("figure4"),
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
        svg=figure_in_archive("figure5"),
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
        svg=figure_in_archive("figure6"),
        png=f"{FIG}/figure6.png",
    params:
        **fingerprinted("figure6"),
        study=STUDY,
        power=configuration.options_of(config, "estimate_power"),
    script:
        "../../scripts/figure6.py"


rule draw_mosaic:
    """Draw one scan's magnitude, mask, field, map and labels in three planes."""
    input:
        combined=rules.fit_field.output.combined,
        mask=rules.extract_brain.output.mask,
        local_field=rules.remove_background.output.local_field,
        chi=rules.invert_dipole.output.chi,
        labels=lambda wildcards: list(drawn_labels(wildcards.scan, source.raters[:1]).values()),
        template_outline=rules.register_atlas.output.outline if ATLAS in source.raters else [],
        label_table=source.label_table_to_draw(source.raters[0]),
    output:
        mosaic=in_archive(
            f"{FIG}/qc/{{folder}}/{{scan}}.png",
            caption="mosaic",
            category="Quality",
            item="{scan}",
            shows="mosaic",
        ),
    priority: 50
    params:
        **fingerprinted("draw_mosaic"),
        study=STUDY,
    script:
        "../../scripts/draw_mosaic.py"
