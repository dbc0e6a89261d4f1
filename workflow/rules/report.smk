rule pack_viewer:
    """Pack one scan's map, magnitude and labels for the report's viewer."""
    input:
        chi=rules.invert_dipole.output.chi,
        combined=rules.fit_field.output.combined,
        labels=lambda wildcards: list(drawn_labels(wildcards.scan).values()),
        label_tables=lambda wildcards: [
            source.label_table_to_draw(rater) for rater in drawn_labels(wildcards.scan)
        ],
    output:
        packed=f"{OUT}/viewer/{{folder}}/{{scan}}.json",
    priority: 50
    params:
        **fingerprinted("pack_viewer"),
        raters=lambda wildcards: list(drawn_labels(wildcards.scan)),
    script:
        "../../scripts/pack_viewer.py"


rule build_report:
    """Gather tables, figures, checks and methods in one HTML file."""
    input:
        participants=listed_participants,
        excluded=rules.select_participants.output.excluded,
        roi_values=roi_values_table,
        scans=scans_table,
        table1=rules.table1.output.table,
        table2=rules.table2.output.table,
        table3=rules.table3.output.table,
        table4=rules.table4.output.table,
        table5=rules.table5.output.table,
        table6=rules.table6.output.table,
        correlations=rules.correlate_scores.output.table,
        asymmetry=rules.compare_hemispheres.output.table,
        lesion_sides=rules.compare_lesion_sides.output.table,
        power=rules.estimate_power.output.table,
        further=FURTHER,
        figures=[path for path in FIGURES if path.endswith(".svg")],
        mosaics=per_used_scan(rules.draw_mosaic.output.mosaic),
        packs=per_used_scan(rules.pack_viewer.output.packed),
        published=rules.compare_published.input.published if source.has_published else [],
        scorecard=rules.compare_published.output.scorecard if source.has_published else [],
        conclusions=rules.compare_published.output.conclusions if source.has_published else [],
        audit=rules.audit_published.output.table if source.is_audited else [],
        validation=rules.compare_truth.output.validation if source.has_truth else [],
        qc=rules.summarize_quality.output.qc if source.has_images else [],
        acquisition=example_sidecars,
        example=example_map,
        references=repo_path("resources/references.bib"),
        templates=report_templates(),
        lock=repo_path("envs/requirements.lock"),
    output:
        report=f"{OUT}/report.html",
    resources:
        mem_mb=engine.growing(2000),
    params:
        **fingerprinted("build_report"),
        title=config["title"],
        config=DECLARED,
        groups=GROUPS,
        alpha=config["alpha"],
        simulated=source.simulated,
        origin=source.origin,
        graph=rule_graph,
        benchmarks=BENCH,
    script:
        "../../scripts/build_report.py"


rule print_tables:
    """Print every table as an HTML page of its own, for Snakemake's report."""
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
        lesion_sides=rules.compare_lesion_sides.output.table,
        further=FURTHER,
        published=rules.compare_published.input.published if source.has_published else [],
        scorecard=rules.compare_published.output.scorecard if source.has_published else [],
        conclusions=rules.compare_published.output.conclusions if source.has_published else [],
        audit=rules.audit_published.output.table if source.is_audited else [],
        validation=rules.compare_truth.output.validation if source.has_truth else [],
        qc=rules.summarize_quality.output.qc if source.has_images else [],
        templates=report_templates(),
    output:
        pages=[
            in_archive(f"{TAB}/printed/{name}.html", name, *words)
            for name, words in PRINTED.items()
        ],
    params:
        **fingerprinted("print_tables"),
        title=config["title"],
        config=DECLARED,
        groups=GROUPS,
        alpha=config["alpha"],
        simulated=source.simulated,
    script:
        "../../scripts/print_tables.py"
