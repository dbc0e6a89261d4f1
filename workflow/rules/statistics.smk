rule table1:
    """Describe and compare the groups' demographic and clinical characteristics."""
    input:
        participants=participants_table,
    output:
        table=f"{TAB}/table1.tsv",
    params:
        **fingerprinted("table1"),
        **PEOPLE,
        alpha=config["alpha"],
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
        **PEOPLE,
        alpha=config["alpha"],
        nuclei=config["nuclei"],
        raters=config["raters"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        curves=f"{TAB}/roc_curves.tsv",
    params:
        **fingerprinted("table4"),
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
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
        alpha=config["alpha"],
        groups=GROUPS,
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
        **PEOPLE,
        alpha=config["alpha"],
        rater=config["rater"],
        nuclei=config["nuclei"],
        sections={name: config[name] for name in ("table1", "table3", "correlate_scores")},
    script:
        "../../scripts/replicate_null.py"
