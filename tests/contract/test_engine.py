"""What the workflow uses of Snakemake beyond its documentation, by name.

A version of Snakemake that lacks one of these fails here, before a study does.
"""

import ast
import re
from pathlib import Path

import pytest

from qsmstudy.run import engine

ROOT = Path(__file__).resolve().parents[2]
ENGINE = Path(engine.__file__)

#: Attributes of Snakemake's workflow, rules and handlers that no documentation promises.
UNDOCUMENTED = {
    "workflow": {
        "dag", "dag_settings", "default_target", "dryrun", "is_main_process", "local_exec",
        "logger_manager", "modifier", "resource_settings", "rules", "scheduler", "_localrules",
    },
    "rule": {
        "benchmark", "benchmark_modifier", "conda_env", "docstring", "group", "log",
        "log_modifier", "output_modifier", "params",
        "name", "resources", "script", "set_log", "snakefile", "wildcard_names",
    },
}  # fmt: skip


def asked_of(name, tree):
    """Return the attributes that code asks of a variable of this name."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_engine_uses_the_attributes_named_here(name):
    assert asked_of(name, ast.parse(ENGINE.read_text())) == UNDOCUMENTED[name]


def test_rule_files_ask_snakemake_nothing_undocumented():
    """What they may ask: documented attributes of `workflow` (Snakemake's manual, "Rules")."""
    text = "\n".join(
        path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "workflow").glob("**/*.smk"),
                                      ROOT / "workflow" / "Snakefile"]
    )  # fmt: skip
    assert set(re.findall(r"\bworkflow\.(\w+)", text)) <= {"basedir", "current_basedir"}


def test_snakemake_has_them(workflow):
    rule = next(iter(workflow.rules))
    # Those of a run are there only while it runs; the tests of whole studies see them.
    running = {"dag", "dag_settings", "scheduler"}
    assert [
        name for name in UNDOCUMENTED["workflow"] - running if not hasattr(workflow, name)
    ] == []
    assert [name for name in UNDOCUMENTED["rule"] if not hasattr(rule, name)] == []


def megabytes(rule, attempt):
    return rule.resources["mem_mb"].evaluate(None, attempt=attempt).value


def test_a_rules_own_amount_wins_and_grows(rules):
    asked = {
        name: [megabytes(rules[name], attempt) for attempt in (1, 2)]
        for name in ("table1", "simulate_scan")
    }
    usual = engine.MEGABYTES
    assert asked == {"table1": [usual, 2 * usual], "simulate_scan": [4000, 8000]}


def test_default_resources_of_a_profile_do_not_win(read_workflow):
    workflow = read_workflow(default_resources={"mem_mb": 7})
    table1 = next(rule for rule in workflow.rules if rule.name == "table1")
    assert megabytes(table1, 1) == engine.MEGABYTES


def test_steps_of_a_scan_and_of_the_study_are_groups_but_not_in_a_local_run(rules):
    """Snakemake itself leaves groups out of a local run; a dry run and a cluster have them."""
    assert {rule.group for rule in rules.values()} == {None}
    groups = {name: rule._group for name, rule in rules.items()}
    expected = {
        "scan": ("simulate_scan", "fit_field", "measure_rois", "register_atlas", "pack_viewer"),
        "study": ("aggregate_rois", "table1", "replicate_null", "figure6", "build_report"),
        "check": ("check_scan",),
        None: ("list_scans", "match_participants", "simulate_truth", "build_atlas", "all"),
    }
    for group, names in expected.items():
        assert {groups[name] for name in names} == {group}, group
