"""Rules, scripts, settings and logs share their names and arguments."""

import ast
import inspect
import runpy
import typing
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from qsmstudy.recon import methods
from qsmstudy.report import consensus
from qsmstudy.run import configuration, fingerprints, job, schema_check

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
SCHEMA = configuration.schema()
SCRIPTS = {path.stem: path for path in sorted((ROOT / "scripts").glob("*.py"))}
TARGETS = {
    *("all", "chimaps", "roi_values", "tables", "figures", "scorecard", "report", "validation"),
    *("audit", "null_cohort"),
}


def working(rules):
    return {name: rule for name, rule in rules.items() if name not in TARGETS}


def names(items):
    return {name for name, _ in items._allitems() if name is not None}


def test_targets_that_users_rely_on_exist(rules):
    assert set(rules) >= TARGETS


def test_every_rule_has_a_script_of_its_name_and_every_script_a_rule(rules):
    assert set(working(rules)) == set(SCRIPTS)
    for name, rule in working(rules).items():
        assert str(rule.script).endswith(f"/{name}.py")


def test_every_rule_is_described_logged_and_benchmarked(rules):
    for name, rule in working(rules).items():
        assert rule.docstring, name
        assert [str(path) for path in rule.log], name
        assert f"/logs/{name}" in str(rule.log[0]), name
        assert f"/benchmarks/{name}" in str(rule.benchmark), name
        assert {"mem_mb", "runtime"} <= set(rule.resources), name
        assert not rule._restart_times, "retries belong in a profile"


def test_rule_items_are_the_arguments_of_main(rules):
    for name, rule in working(rules).items():
        main = runpy.run_path(str(SCRIPTS[name]))["main"]
        arguments = inspect.signature(main).parameters
        assert all(p.kind is p.KEYWORD_ONLY for p in arguments.values()), name
        given = names(rule.input) | names(rule.output) | names(rule.params)
        assert given - job.BOOKKEEPING == set(arguments), name


def test_params_have_no_hidden_default(rules):
    for name, rule in working(rules).items():
        main = runpy.run_path(str(SCRIPTS[name]))["main"]
        params = names(rule.params) - job.BOOKKEEPING
        hidden = [
            p
            for p, value in inspect.signature(main).parameters.items()
            if p in params and value.default is not inspect.Parameter.empty
        ]
        assert hidden == [], name


def test_every_rule_carries_its_fingerprint(rules):
    for name, rule in working(rules).items():
        assert "code" in names(rule.params), name


def test_reading_the_rules_fingerprints_none_of_them(monkeypatch, read_workflow):
    """Every step of a cluster job reads all rules to run one of them."""
    monkeypatch.setattr(fingerprints, "fingerprint", lambda *_: pytest.fail("a rule was hashed"))
    assert list(read_workflow().rules)


def test_sections_are_the_params_of_their_rules(rules):
    sections = {name for name, value in CONFIG.items() if isinstance(value, dict)}
    sections -= {"groups", "covariates", "select"}
    assert sections <= set(SCRIPTS)
    for name in sections:
        assert "options" in names(rules[name].params), name
        main = runpy.run_path(str(SCRIPTS[name]))["main"]
        assert typing.get_type_hints(main)["options"] is configuration.SECTIONS[name]


def test_configuration_and_overlays_pass_the_closed_schema():
    schema_check.check(CONFIG, SCHEMA)
    for path in sorted((ROOT / "config").glob("*.yaml")):
        overlay = yaml.safe_load(path.read_text())
        merged = dict(CONFIG)
        for key, value in overlay.items():
            merged[key] = CONFIG[key] | value if isinstance(value, dict) else value
        schema_check.check(merged, SCHEMA)


#: Records of methods that an option names; the files decide between the masks.
METHODS = [item for item in vars(methods).values() if isinstance(item, methods.Methods)]
METHODS.remove(methods.MASK)
#: Sections that make a reconstruction, and what in them is the scanner's and not a choice.
PIPELINE = (
    "fit_field", "unwrap_phase", "extract_brain", "remove_background", "invert_dipole",
    "measure_rois", "summarize_rois",
)  # fmt: skip
SCANNER = {("fit_field", key) for key in ("phase_sign", "echo_times", "field_strength")}


def overlaid(name):
    """The default configuration under an overlay, and the overlay."""
    overlay = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    return CONFIG | {key: CONFIG[key] | value for key, value in overlay.items()}, overlay


def of_other_methods():
    """Options that only methods use which the default study does not."""
    found = set()
    for known in METHODS:
        section, option = known.option.split(".")
        used = set(known[CONFIG[section][option]].options)
        found |= {(section, key) for one in known.values() for key in {*one.options} - used}
    return found


def test_paper_overlay_states_every_choice_and_is_the_default():
    merged, overlay = overlaid("paper")
    assert merged == CONFIG
    stated = {(section, key) for section, values in overlay.items() for key in values}
    choices = {(section, key) for section in PIPELINE for key in CONFIG[section]} - SCANNER
    assert choices - of_other_methods() <= stated <= choices


def test_consensus_overlay_follows_the_consensus_and_the_paper_does_not():
    assert consensus.deviations(overlaid("consensus")[0]) == ()
    assert len(consensus.deviations(overlaid("paper")[0])) == 2  # unwrapping and mask
    assert set(overlaid("consensus")[1]) <= set(PIPELINE)


def test_the_schema_allows_every_method_of_the_records():
    def words(rule, option):
        return SCHEMA["properties"][rule]["properties"][option]["enum"]

    for known in METHODS:
        rule, option = known.option.split(".")
        assert words(rule, option) == list(known), known.option


def objects(schema, path=()):
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, (*path, key))


def test_schema_is_closed_and_names_every_key():
    for path, schema in objects(SCHEMA):
        assert schema.get("additionalProperties") is False, path
    assert set(SCHEMA["properties"]) == set(CONFIG)
    for name, value in CONFIG.items():
        if isinstance(value, dict) and "properties" in SCHEMA["properties"][name]:
            assert set(SCHEMA["properties"][name]["properties"]) == set(value), name


#: A job of the default study, for input functions.
JOB = SimpleNamespace(scan="sub-01", sub="sub-01", folder="sub-01", rater="A")


def read_by(rule):
    """Paths and patterns that a rule of the default study reads."""
    for _, item in rule.input._allitems():
        paths = item(JOB) if callable(item) else item
        yield from [str(paths)] if isinstance(paths, str) else map(str, paths)


def test_published_values_and_truth_reach_only_their_rules(rules):
    paths = {name: list(read_by(rule)) for name, rule in working(rules).items()}

    def readers(part):
        return {name for name, read in paths.items() if any(part in path for path in read)}

    assert readers("published.yaml") == {
        "calibrate_cohort",
        "compare_published",
        "audit_published",
        # Where each number stands, for links and headings; the numbers are the scorecard's.
        "build_report",
        "print_tables",
    }
    assert readers("resources/cohort/") == {"simulate_truth", "compare_published"}
    assert readers("/truth/") == {"simulate_scan", "compare_truth", "compare_labels"}
    assert "invert_dipole" in readers("_desc-local_fieldmap")


def literals(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield abs(node.value), node.lineno


def test_no_published_number_is_typed_in_the_code():
    """Numbers with four significant digits cannot stand in the code by coincidence."""
    published = yaml.safe_load((ROOT / "resources" / "published.yaml").read_text())["values"]
    telling = {
        abs(float(row["value"]))
        for row in published
        if len(str(row["value"]).lstrip("-0.").replace(".", "")) >= 4
    }
    assert len(telling) > 50
    files = [*(ROOT / "src").rglob("*.py"), *SCRIPTS.values()]
    found = [(str(f), line) for f in files for value, line in literals(f) if value in telling]
    assert found == []


def test_published_values_state_their_provenance():
    text = (ROOT / "resources" / "published.yaml").read_text()
    content = yaml.safe_load(text)
    assert "10.3389/fneur.2024.1518911" in content["paper"]
    ids = [row["id"] for row in content["values"]]
    assert len(ids) == len(set(ids)) == content["n_values"]
    for row in content["values"]:
        assert {"id", "value", "decimals", "stat", "cls", "source", "cell"} <= set(row), row["id"]
