# Input functions; no rules.


def of_scan(answer):
    """Return an input function: what the source has of a job's scan, nothing where it has none."""
    return lambda wildcards: answer(wildcards.scan) or []


def used_scans():
    """Return the scans that can be used; of a user's, once they were read."""
    if not source.is_checked:
        return list(source.scans)
    return scan_status.used_scans(checkpoints.list_scans.get().output.table)


def per_used_scan(pattern):
    """Return an input function: a pattern filled for every scan that can be used."""
    return lambda wildcards: per_scan(pattern, used_scans())


def example_scan():
    """Return the first scan of a participant who is analysed."""
    return next(scan for scan in used_scans() if bids.participant_of(scan) not in source.excluded)


def example_map(wildcards):
    """Return the map of an example, where there are scans."""
    return per_scan(rules.invert_dipole.output.chi, [example_scan()]) if source.has_images else []


def example_sidecars(wildcards):
    """Return the JSON files that describe the echoes of an example, where there are scans."""
    return source.sidecars(example_scan()) if source.has_images else []


def labels(scan, rater):
    """Return a rater's label map of a scan; that of the atlas is made by a registration."""
    return source.labels(scan, rater) or per_one(rules.register_atlas.output.labels, scan)


def drawn_labels(scan, raters=source.raters):
    """Return the label maps of a scan that exist or will be made, by rater."""
    return {rater: labels(scan, rater) for rater in raters if source.has_labels(scan, rater)}


def labelled_values(wildcards):
    """Return the measurements of all scans that can be used."""
    used = set(used_scans())
    chosen = [scan for scan in source.scans_to_measure if scan in used]
    return per_scan(rules.measure_rois.output.values, chosen, rater=source.raters)


def atlas_file(key, built_in):
    """Return a file of the user's atlas, or of the built-in one where the user gives none."""
    return (config[key] or []) if config["atlas_template"] else built_in


def participants_table(wildcards):
    """Return the table of the participants who are analysed."""
    return rules.select_participants.output.analysed


def listed_participants(wildcards):
    """Return the table of the participants: of a user's, those with a scan that can be used."""
    return rules.match_participants.output.matched if source.is_checked else source.participants


def roi_values_table(wildcards):
    """Return the measurements: given, or aggregated from the maps."""
    return source.roi_values or rules.aggregate_rois.output.roi_values


def tables_of_report(wildcards):
    """Return the tables that are printed, and those that only the figures and downloads show."""
    return TABLES + [
        getattr(getattr(rules, table.rule).output, table.output)
        for table in STUDY_TABLES
        if table.section and table not in catalogue.STATISTICS
    ]


def accounts_of_people(wildcards):
    """Return who is left out and why: participants by a decision, a user's scans by their check."""
    excluded = rules.select_participants.output.excluded
    return [excluded, *([rules.list_scans.output.table] if source.is_checked else [])]


def rule_graph(wildcards):
    """Return the rules that the report depends on, by the files they hand on."""
    scan = next(iter(source.scans), "sub-x")
    example = {"scan": scan, "sub": scan, "folder": bids.scan_folder(scan)}
    example |= {"rater": source.raters[0]}
    return run_record.rule_graph(jobs, "build_report", example)


def report_templates():
    """Return the files from which the report is made."""
    templates = sorted(Path(repo_path("workflow/report")).rglob("*.*"))
    return [path.as_posix() for path in templates if path.is_file()]


def study_targets(wildcards):
    """Return what the default target makes."""
    source.check_whole_study()
    targets = [*TABLES, *PICTURES, rules.build_report.output.report, *map_targets(wildcards)]
    targets += rules.print_tables.output.pages
    comparisons = ("has_published", "has_truth", "has_truth_of_labels")
    return targets + [f"{TAB}/{t.name}.tsv" for t in STUDY_TABLES if t.needs in comparisons]


def map_targets(wildcards):
    """Return what describes the maps, and the word that no scan was left out."""
    if not source.has_images:
        return []
    return [rules.describe_maps.output.description, *confirmed_scans(wildcards)]


def confirmed_scans(wildcards):
    """Return the word that no scan was left out; without it the run fails, when all else is made."""
    return [rules.confirm_scans.output.confirmation] if source.is_checked else []


def used_maps(wildcards):
    """Return the maps of the scans that can be used; those of a batch are chosen before any check."""
    if not source.has_images:
        return []
    chosen = source.scans if engine.is_batch(workflow) else used_scans()
    return per_scan(rules.invert_dipole.output.chi, chosen)


def truth_comparison(wildcards):
    """Return the comparison with the simulated truth: an error for a user's own data."""
    source.need_truth()
    return rules.compare_truth.output.validation
