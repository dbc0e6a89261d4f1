# From multi-echo gradient-echo scans to the tables of a susceptibility mapping group study.
#
#   snakemake --cores 8                                          the default study (simulated cohort)
#   snakemake chimaps --cores 8 --config bids_dir=DIR output_dir=DIR     maps of your own scans
#   snakemake --cores 8 --config bids_dir=DIR output_dir=DIR             your whole study
from snakemake.utils import min_version

min_version("9.20")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/archive/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/study.smk"


onstart:
    # No limit of jobs per second here, which only the command line sets and cannot unset: each turn
    # of the scheduler under it starts a thread that in a second causes another (docs/scale.md).
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    # The progress display asks for the jobs by rule when a checkpoint has added some.
    for handler in workflow.logger_manager.get_log_handlers():
        handler.plan = planned_jobs


rule all:
    """The study: report, tables, figures, scorecard; for the simulated cohort also its validation."""
    default_target: True
    input:
        study_targets,
        used_maps,


include: "workflow/rules/simulate.smk"
include: "workflow/rules/scans.smk"
include: "workflow/rules/reconstruct.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/further.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/report.smk"


rule chimaps:
    """Susceptibility maps of all scans that can be used."""
    input:
        from_images(used_maps),
        map_targets,


rule roi_values:
    """Susceptibility per participant, rater, region and slice."""
    input:
        from_images(rules.aggregate_rois.output.roi_values),
        confirmed_scans,


rule tables:
    """Tables 1-6, correlations, left against right, power, and the further tables."""
    input:
        TABLES,
        confirmed_scans,


rule figures:
    """Figures 1-6."""
    input:
        FIGURES,
        confirmed_scans,


rule scorecard:
    """Published against reproduced numbers."""
    input:
        rules.compare_published.output.scorecard,


rule audit:
    """Whether a paper's printed numbers agree with each other."""
    input:
        rules.audit_published.output.table,


rule null_cohort:
    """False positives of the study's tests over permuted studies without a difference."""
    input:
        rules.replicate_null.output.table,


rule validation:
    """Measured against simulated susceptibility (simulated cohort only)."""
    input:
        truth_comparison,


rule report:
    """The HTML report."""
    input:
        rules.build_report.output.report,
        confirmed_scans,
