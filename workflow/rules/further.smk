rule contrast_groups:
    """Compare each pair of three or more groups in every region."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/contrasts.tsv",
    params:
        **fingerprinted("contrast_groups"),
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
        rois=config["table4"]["rois"],
        comparison=config["table3"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        alpha=config["alpha"],
        groups=GROUPS,
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
        comparison=config["table3"],
        reference=config["summarize_rois"]["reference"],
        lesions=config["summarize_rois"]["lesions"],
    script:
        "../../scripts/compare_extents.py"
