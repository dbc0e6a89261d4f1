"""An option is declared once: its check, its help and its reference follow from that."""

import ast
import json
import re
import runpy
import typing
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from qsmstudy import options
from qsmstudy.run import configuration, job, reference

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

#: The unit that an option's name ends with.
UNITS = {
    "mm": "mm", "ppm": "ppm", "hz": "Hz", "rad": "rad", "deg": "degree", "megabytes": "MB",
    "mm_per_year": "mm/year", "r2star_per_ppm": "1/s/ppm", "age": "year",
}  # fmt: skip
#: Numbers without a dimension: counts, shares, ratios, seeds, codes and what is in no unit.
DIMENSIONLESS = {
    # top level
    "n_echoes", "alpha",
    # simulation
    "seed", "groups", "scale", "aspect_sd", "nucleus_size_sd", "asymmetry_sd",
    "slice_change_probability", "proton_density", "matrix", "snr", "receive_bias",
    # reconstruction and measurement
    "phase_sign", "signal_fraction", "max_iterations", "fractional_threshold", "iterations",
    "trim_residual", "tolerance", "truncation", "lambda_fidelity", "lambda_csf", "merit",
    "edge_fraction", "tkd_threshold", "chi_weight", "n_slices", "outlier_z",
    # statistics, figures and report
    "entry_p", "n_folds", "n_repeats", "target_power", "n_replicates", "panels", "max_voxels",
    "gray_levels",
}  # fmt: skip


def every(section, prefix=""):
    """Every option of a section, those of sections inside it too, with its full name."""
    for item in fields(section):
        inner = options.nested_in(section, item)
        if inner:
            yield from every(inner, f"{prefix}{item.name}.")
        yield f"{prefix}{item.name}", item, typing.get_type_hints(section)[item.name]


SECTIONS = [*configuration.TOP, *configuration.SECTIONS.values()]
OPTIONS = [(f"{s.section}.{name}", item, hint) for s in SECTIONS for name, item, hint in every(s)]


def is_number(hint):
    return bool({int, float} & {hint, *(kind for part in typing.get_args(hint) for kind in
                                        (part, *typing.get_args(part)))})  # fmt: skip


def test_committed_files_are_those_that_the_declarations_make():
    """If this fails, run `make reference` and commit what it wrote."""
    assert reference.config_text(CONFIG) == reference.CONFIG.read_text("utf-8")
    assert reference.reference_text(CONFIG) == reference.REFERENCE_FILE.read_text("utf-8")


def test_configuration_holds_the_defaults_and_lines_that_can_be_read():
    for section in SECTIONS:
        given = CONFIG[section.section] if section.section else CONFIG
        values = reference.values_of(section, CONFIG)
        # As text: 15 and 15.0 differ in sidecars.
        assert json.dumps(values) == json.dumps({name: given[name] for name in values})
    assert max(map(len, reference.CONFIG.read_text("utf-8").splitlines())) <= 120


def test_every_option_says_what_it_means():
    for name, item, _ in OPTIONS:
        meaning = item.metadata["meaning"]
        assert len(meaning) > 1, name
        assert not meaning.endswith("."), name


def test_every_number_with_a_dimension_has_a_unit():
    for name, item, hint in OPTIONS:
        last = name.rpartition(".")[2]
        if is_number(hint):
            assert bool(item.metadata["unit"]) is (last not in DIMENSIONLESS), name
        ends = [end for end in UNITS if f"_{last}".endswith(f"_{end}")]
        if ends:
            assert item.metadata["unit"] == UNITS[max(ends, key=len)], name
    assert {name.rpartition(".")[2] for name, _, _ in OPTIONS} >= DIMENSIONLESS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_help_of_a_script_says_meaning_unit_and_default_of_each_option(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    main = runpy.run_path(str(path))["main"]
    with pytest.raises(SystemExit):
        job.parse_command_line(main, ["--help"])
    shown = re.sub(r"\s", "", capsys.readouterr().out)  # lines are broken anywhere
    for section in filter(job.is_section, typing.get_type_hints(main).values()):
        for name, item, _ in every(section):
            unit = f"[{item.metadata['unit']}]" if item.metadata["unit"] else ""
            assert re.sub(r"\s", "", item.metadata["meaning"] + unit) in shown, name
        for item in fields(section):
            if not options.is_required(item):
                default = json.dumps(options.plain_value(options.default_of(item)))
                assert re.sub(r"\s", "", f"(default: {default})") in shown, item.name


#: Pairs of words that also name something else.
ALSO = {frozenset({"patients", "controls"}): "roles of a study's groups"}


def lists(path):
    """Every list, tuple and set of words in a file, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        items = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
        values = [item.value for item in items if isinstance(item, ast.Constant)]
        if len(values) == len(items) > 1 and all(isinstance(value, str) for value in values):
            yield frozenset(values), node.lineno


def test_allowed_words_are_listed_where_they_are_declared_and_nowhere_else():
    """A table from words to functions or sentences is no list: it fails where a word lacks."""
    declared = {frozenset(item.metadata["words"] or ()): name for name, item, _ in OPTIONS}
    found = [
        f"{path.relative_to(ROOT)}:{line}: {declared[words]}"
        for path in [*(ROOT / "src").rglob("*.py"), *SCRIPTS]
        if not path.stem.endswith("options")
        for words, line in lists(path)
        if words in declared and words not in ALSO
    ]
    assert found == []


def test_every_option_is_asked_for_by_code():
    """An option that nothing reads is a promise that nothing keeps."""
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    asked = {
        name
        for path in sources
        if not path.stem.endswith("options")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in [getattr(node, "attr", None), getattr(node, "value", None)]
        if isinstance(name, str)
    }
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    idle = [
        name
        for name, _, _ in OPTIONS
        if (key := name.rpartition(".")[2]) not in asked and f'"{key}"' not in rules
    ]
    assert idle == []
