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
        roi_values=roi_values_table,
        tables=lambda wildcards: [
            *tables_of_report(wildcards),
            *accounts_of_people(wildcards),
        ],
        figures=[path for path in PICTURES if path.endswith(".svg")],
        mosaics=per_used_scan(rules.draw_mosaic.output.mosaic),
        packs=per_used_scan(rules.pack_viewer.output.packed),
        published=rules.compare_published.input.published if source.has_published else [],
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
        study=STUDY,
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
        tables=tables_of_report,
        published=rules.compare_published.input.published if source.has_published else [],
        templates=report_templates(),
    output:
        pages=[page_in_archive(page) for page in PAGES],
    params:
        **fingerprinted("print_tables"),
        title=config["title"],
        config=DECLARED,
        study=STUDY,
        simulated=source.simulated,
    script:
        "../../scripts/print_tables.py"
