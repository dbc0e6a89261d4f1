rule build_report:
    """Gather tables, figures, checks and methods in one HTML file."""
    input:
        participants=participants_table,
        roi_values=roi_values_table,
        table1=rules.table1.output.table,
        table2=rules.table2.output.table,
        table3=rules.table3.output.table,
        table4=rules.table4.output.table,
        table5=rules.table5.output.table,
        table6=rules.table6.output.table,
        correlations=rules.correlate_scores.output.table,
        asymmetry=rules.compare_hemispheres.output.table,
        power=rules.estimate_power.output.table,
        figures=[path for path in FIGURES if path.endswith(".svg")],
        mosaics=per_scan(rules.draw_mosaic.output.mosaic),
        scorecard=rules.compare_published.output.scorecard if SIMULATED else [],
        conclusions=rules.compare_published.output.conclusions if SIMULATED else [],
        audit=rules.audit_published.output.table if AUDITED else [],
        validation=rules.compare_truth.output.validation if SIMULATED else [],
        qc=[] if FROM_TABLE else rules.summarize_quality.output.qc,
        references=own("resources/references.bib"),
        templates=report_templates(),
        lock=own("requirements.lock"),
    output:
        report=f"{OUT}/report.html",
    log:
        f"{LOG}/build_report.log",
    benchmark:
        f"{BENCH}/build_report.tsv"
    conda:
        "../../envs/qsmstudy.yaml"
    resources:
        mem_mb=more_memory(2000),
        runtime=longer(10),
    params:
        **fingerprinted("build_report"),
        title=config["title"],
        config=config,
        groups=config["groups"],
        alpha=config["alpha"],
        simulated=simulated_data(),
    script:
        "../../scripts/build_report.py"
