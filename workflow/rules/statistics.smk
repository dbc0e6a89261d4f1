# A rule for each script of the catalogue (qsmstudy.stats.catalogue.statistics), which describes it.
STARTING_POINTS = {
    "participants": participants_table,
    "roi_means": rules.summarize_rois.output.roi_means,
    "roi_values": roi_values_table,
}

for table in catalogue.rule_tables():

    rule:
        name:
            table.rule
        input:
            **{given: STARTING_POINTS.get(given, f"{TAB}/{given}.tsv") for given in table.inputs},
        output:
            **{made.output: f"{TAB}/{made.name}.tsv" for made in catalogue.made_by(table.rule)},
        params:
            **fingerprinted(table.rule),
            **{
                param: configuration.options_of(config, section)
                for param, section in table.borrowed.items()
            },
            study=STUDY,
            script=table.rule,
        script:
            "../../scripts/{params.script}.py"
