"""What every rule has in common, and all that is asked of Snakemake beyond its documentation.

Functions take Snakemake's own objects. The attributes that no documentation promises are used here
alone; a test names them, so that a new version of Snakemake that lacks one is found at once.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Name of the handler with which Snakemake writes to the terminal.
STREAM_HANDLER = "DefaultStreamHandler"
#: What a job asks for where its rule states nothing else.
MEGABYTES, MINUTES = 1500, 10
#: Group of a rule whose jobs a cluster does not run with the other steps of their scan or study:
#: None for a job of its own.
_GROUPS = {
    "check_scan": "check",
    **dict.fromkeys(("convert_dicoms", "simulate_truth", "build_atlas", "calibrate_cohort")),
}


def growing(amount: int) -> Callable[..., int]:
    """Return a resource function that asks for twice as much with each attempt."""

    def resource(wildcards: Any, attempt: int) -> int:
        return amount * 2 ** (attempt - 1)

    return resource


def complete_rules(
    workflow: Any,
    *,
    folder: Path,
    output_dir: str,
    conda_env: str,
    descriptions: Mapping[str, str],
) -> dict[str, Any]:
    """Give every rule with a script its log, benchmark, environment, resources and group.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        After all rules have been read.
    folder : Path
        Of the rule files; the rules of a workflow that imports this one are left alone.
    output_dir : str
        Where ``logs`` and ``benchmarks`` lie; the file's name is that of the script and the job's
        wildcards.
    conda_env : str
        Path of the environment's file.
    descriptions : mapping of str to str
        What a rule is for, by the name of its script, where its own text does not say it.

    Returns
    -------
    dict of str to snakemake.rules.Rule
        The rules by the name of their script, whatever an importing workflow calls them.

    Notes
    -----
    A rule's own directive wins; so do ``--set-resources``, but not a profile's default resources.
    """
    defaults = workflow.resource_settings._parsed_default_resources
    usual = {"mem_mb": growing(MEGABYTES), "runtime": growing(MINUTES)}
    by_script: dict[str, Any] = {}
    for rule in workflow.rules:
        # Where this workflow is imported twice, each import has a path modifier of its own.
        imported_here = rule.output_modifier is workflow.modifier.path_modifier
        if not (rule.script and imported_here and folder in Path(rule.snakefile).parents):
            continue
        rule.script = str(rule.script).format(params=rule.params)  # made in a loop
        script = Path(rule.script).stem
        by_script[script] = rule
        rule.docstring = rule.docstring or descriptions.get(script)
        if rule.name not in workflow._localrules:
            rule.group = rule.group or _group_of(script, rule.wildcard_names)
        place = "/".join([script, *_named_by(rule.wildcard_names)])
        if not rule.log:
            rule.log_modifier = rule.output_modifier
            rule.set_log(f"{output_dir}/logs/{place}.log")
        if not rule.benchmark:
            rule.benchmark_modifier = rule.output_modifier
            rule.benchmark = f"{output_dir}/benchmarks/{place}.tsv"
        rule.conda_env = rule.conda_env or conda_env
        inherited = {
            name for name in usual if name in defaults
            and name in rule.resources and rule.resources[name].raw == defaults[name].raw
        }  # fmt: skip
        lacking = usual.keys() - set(rule.resources) | inherited
        rule.resources.update({name: usual[name] for name in lacking})
    return by_script


def _named_by(wildcards: set[str]) -> list[str]:
    """Return the parts of a path that tell the jobs of one rule apart."""
    name = "_".join(
        f"{prefix}{{{wildcard}}}"
        for wildcard, prefix in (("scan", ""), ("sub", ""), ("rater", "rater-"))
        if wildcard in wildcards
    )
    return [part for part in ("{folder}" if "folder" in wildcards else "", name) if part]


def _group_of(script: str, wildcards: set[str]) -> str | None:
    """Return the jobs that a rule's jobs run with on a cluster: of one scan, or of the study.

    A rule between two rules of a group must be in the group too, or planning fails.
    """
    return _GROUPS.get(script, "scan" if wildcards & {"scan", "sub"} else "study")


def take_prefix(workflow: Any) -> str:
    """Return the prefix with which another workflow imports this one, and put it out of force.

    Snakemake would put it before every path, those of the user and of this repository too. The
    workflow puts it before what it writes (``output_dir``) instead.
    """
    modifier = workflow.modifier.path_modifier
    prefix, modifier.prefix = modifier.prefix or "", None
    return prefix


def is_batch(workflow: Any) -> bool:
    """Tell whether only a batch of the jobs is planned (``--batch``)."""
    return workflow.dag_settings.batch is not None


def is_imported(workflow: Any) -> bool:
    """Tell whether another workflow imports this one."""
    return workflow.modifier.parent_modifier is not None


def is_job(workflow: Any) -> bool:
    """Tell whether the rules are read to run one job that another Snakemake has planned."""
    return not workflow.is_main_process


def is_dry_run(workflow: Any) -> bool:
    """Tell whether nothing will be run."""
    return workflow.dryrun


def set_default_target(workflow: Any, rule: str) -> None:
    """Name the rule that runs when no target is asked for."""
    workflow.default_target = rule


def planned_jobs(workflow: Any) -> Counter[str]:
    """Count the jobs of this run by rule, finished ones included."""
    return Counter(job.rule.name for job in workflow.dag.needrun_jobs(exclude_finished=False))


def show_progress(workflow: Any) -> None:
    """Show progress in this workflow's own way, where nobody chose another one.

    The display replaces Snakemake's output where rules are quiet, as in ``profiles/default``. It is
    attached here and not named there, so that a Snakemake without it installed can run the
    workflow; ``--logger`` chooses another.
    """
    from snakemake_logger_plugin_qsmstudy import LogHandler

    manager = workflow.logger_manager
    if not manager.plugin_handlers:
        handler = LogHandler(manager.settings, None)
        if not handler.on:
            return
        for usual in [item for item in manager.logger.handlers if item.name == STREAM_HANDLER]:
            manager.logger.removeHandler(usual)
        manager.logger.addHandler(handler)
        manager.plugin_handlers.append(handler)
    for handler in manager.plugin_handlers:
        # No event tells what a checkpoint adds to the jobs.
        handler.plan = lambda: planned_jobs(workflow)


def lift_job_rate_limit(workflow: Any) -> None:
    """Take away the limit of jobs per second, which the command line sets and cannot unset.

    Under the limit each scheduling pass starts a timer thread, and each timer triggers another
    pass (docs/explanation/scale.md). A cluster keeps its own limit.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
