rule table1:
    """Describe and compare the groups' demographic and clinical characteristics."""
    input:
        participants=participants_table,
    output:
        table=f"{TAB}/table1.tsv",
    params:
        **fingerprinted("table1"),
        study=STUDY,
    script:
        "../../scripts/table1.py"


rule table2:
    """Compute the raters' agreement on every region."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/table2.tsv",
    params:
        **fingerprinted("table2"),
        study=STUDY,
    script:
        "../../scripts/table2.py"


rule table3:
    """Compare the groups' susceptibility in every region."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/table3.tsv",
    params:
        **fingerprinted("table3"),
        study=STUDY,
    script:
        "../../scripts/table3.py"


rule table4:
    """Compute how well regional susceptibility tells the groups apart."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        table3=rules.table3.output.table,
    output:
        table=f"{TAB}/table4.tsv",
        roc_curves=f"{TAB}/roc_curves.tsv",
    params:
        **fingerprinted("table4"),
        study=STUDY,
    script:
        "../../scripts/table4.py"


rule table5:
    """Regress the patients' regional susceptibility on each factor."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        table3=rules.table3.output.table,
    output:
        table=f"{TAB}/table5.tsv",
    params:
        **fingerprinted("table5"),
        study=STUDY,
    script:
        "../../scripts/table5.py"


rule table6:
    """Regress the patients' regional susceptibility on the factors selected in Table 5."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
        table5=rules.table5.output.table,
    output:
        table=f"{TAB}/table6.tsv",
    params:
        **fingerprinted("table6"),
        study=STUDY,
    script:
        "../../scripts/table6.py"


rule correlate_scores:
    """Correlate age and regional susceptibility with the clinical scores in patients."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/correlations.tsv",
    params:
        **fingerprinted("correlate_scores"),
        study=STUDY,
    script:
        "../../scripts/correlate_scores.py"


rule compare_hemispheres:
    """Compare left with right in every region and group."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/asymmetry.tsv",
    params:
        **fingerprinted("compare_hemispheres"),
        study=STUDY,
    script:
        "../../scripts/compare_hemispheres.py"


rule compare_lesion_sides:
    """Compare the lesion's side with the other side in every nucleus."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/lesion_sides.tsv",
    params:
        **fingerprinted("compare_lesion_sides"),
        study=STUDY,
    script:
        "../../scripts/compare_lesion_sides.py"


rule estimate_power:
    """Estimate every region's power and the size of a replication."""
    input:
        table3=rules.table3.output.table,
    output:
        table=f"{TAB}/power.tsv",
    params:
        **fingerprinted("estimate_power"),
        study=STUDY,
    script:
        "../../scripts/estimate_power.py"


rule replicate_null:
    """Count the tests' false positives over permuted studies without a difference."""
    input:
        roi_means=rules.summarize_rois.output.roi_means,
        participants=participants_table,
    output:
        table=f"{TAB}/null.tsv",
    params:
        **fingerprinted("replicate_null"),
        study=STUDY,
        characteristics=config["table1"],
        comparison=config["table3"],
        correlation=config["correlate_scores"],
    script:
        "../../scripts/replicate_null.py"
