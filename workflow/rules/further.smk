rule contrast_groups:
    """Compare each pair of three or more groups in every region."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/contrasts.tsv",
    params:
        **fingerprinted("contrast_groups"),
        study=STUDY,
    script:
        "../../scripts/contrast_groups.py"


rule adjust_groups:
    """Compare the groups in every region, adjusted for covariates."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/adjusted.tsv",
    params:
        **fingerprinted("adjust_groups"),
        study=STUDY,
    script:
        "../../scripts/adjust_groups.py"


rule cross_validate:
    """Cross-validate the areas under the ROC curves."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        table3=rules.table3.output.table,
    output:
        table=f"{TAB}/cross_validation.tsv",
    params:
        **fingerprinted("cross_validate"),
        study=STUDY,
        comparison=config["table3"],
        discrimination=config["table4"],
    script:
        "../../scripts/cross_validate.py"


rule correlate_age:
    """Correlate regional susceptibility with age in every group."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/age.tsv",
    params:
        **fingerprinted("correlate_age"),
        study=STUDY,
    script:
        "../../scripts/correlate_age.py"


rule correct_hemispheres:
    """Correct the comparisons of left with right for their number."""
    input:
        asymmetry=rules.compare_hemispheres.output.table,
    output:
        table=f"{TAB}/asymmetry_corrected.tsv",
    params:
        **fingerprinted("correct_hemispheres"),
        study=STUDY,
    script:
        "../../scripts/correct_hemispheres.py"


rule compare_extents:
    """Compare the groups on whole nuclei and on a few slices of each."""
    input:
        roi_values=roi_values_table,
        participants=participants_table,
    output:
        table=f"{TAB}/extents.tsv",
    params:
        **fingerprinted("compare_extents"),
        study=STUDY,
        comparison=config["table3"],
        summary=config["summarize_rois"],
    script:
        "../../scripts/compare_extents.py"
