"""The catalogue says of every table what its rule, its file and the report have."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import test_example_studies as examples
import whole_study as whole

from qsmstudy.dataset import bids, decisions, scan_status
from qsmstudy.figures.catalogue import FIGURES
from qsmstudy.paper import conclusions, scorecard
from qsmstudy.paper.audit import relations
from qsmstudy.regions.vocabulary import MEAN_COLUMNS, VALUE_COLUMNS
from qsmstudy.report import content, extended_tables
from qsmstudy.stats import catalogue
from qsmstudy.stats.catalogue import reference
from qsmstudy.study import quality
from qsmstudy.truth import label_overlap, measurements

ROOT = Path(__file__).resolve().parents[2]
QUICK = examples.QUICK + "replicate_null: {n_replicates: 2}\n"


def made(folder, *, groups, config):
    """The columns of every table of statistics, as the scripts write them, by name."""
    rng = np.random.default_rng(1)
    draw = {name: (lambda rng, _: rng.integers(0, 6)) for name in config["covariates"]["scores"]}
    draw |= dict.fromkeys(config["covariates"]["factors"], examples.yes_or_no)
    people = examples.people(rng, groups, **draw)
    chi = examples.values(
        rng, people, nuclei=config["nuclei"], shift={("AIS", "CN"): 0.05}, slices=5
    )
    bids.write_tsv(folder / "participants.tsv", people)
    bids.write_tsv(folder / "roi_values.tsv", chi)
    scripts = whole.TABLES | {"replicate_null": "null"}
    whole.tabulate(config, folder, tables=scripts)
    names = [*scripts.values(), "roc_curves"]
    return {name: tuple(bids.read_tsv(folder / f"{name}.tsv").columns) for name in names}


@pytest.mark.parametrize("further_groups", [[], ["OND"]])
def test_statistics_have_the_columns_of_the_catalogue(tmp_path, further_groups):
    config = whole.configured(QUICK, f"groups: {{further: {further_groups}}}\nraters: [atlas]\n")
    sizes = dict.fromkeys(("AIS", "HC", *further_groups), 12)
    columns = made(tmp_path, groups=sizes, config=config)
    several = bool(further_groups)
    assert columns == {
        table.name: table.columns_of(several_groups=several) for table in catalogue.STATISTICS
    }


def other_columns():
    """The columns of the tables that no statistics make, by name, from what writes them."""
    people = pd.DataFrame({"participant_id": ["sub-1", "sub-2"], "group": "A"})
    decided = [decisions.Decision("sub-1", "exclude", "moved")]
    _, excluded = decisions.select(people, decided, groups=["A"], name="decisions.tsv")
    checked = [{"Scan": "sub-1", "Usable": True, "Echoes": 5, "Reason": None}]
    overlap = pd.DataFrame(columns=list(label_overlap.OVERLAP_COLUMNS))
    one = overlap.reindex([0]).assign(rater="A", roi="CN", dice=0.9, difference_ppm=0.1)
    return {
        "scans": scan_status.account(checked, {}, n_echoes=5).columns,
        "excluded": excluded.columns,
        "roi_values": VALUE_COLUMNS,
        "roi_means": MEAN_COLUMNS,
        "qc": quality.QUALITY_COLUMNS,
        "scorecard": scorecard.SCORECARD_COLUMNS,
        "conclusions": conclusions.CONCLUSION_COLUMNS,
        "audit": relations.AUDIT_COLUMNS,
        "validation": measurements.VALIDATION_COLUMNS,
        "label_overlap": label_overlap.OVERLAP_COLUMNS,
        "label_overlap_summary": label_overlap.summarize_overlaps(one, rois=["CN"]).columns,
    }


def test_other_tables_have_the_columns_of_the_catalogue():
    known = {name: table for name, table in catalogue.TABLES.items() if not table.more}
    others = {name: table for name, table in known.items() if table not in catalogue.STATISTICS}
    assert {name: tuple(found) for name, found in other_columns().items()} == {
        name: table.columns_of(several_groups=False) for name, table in others.items()
    }


def test_every_column_is_named_in_lower_snake_and_explained():
    for table in catalogue.TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.name
        for column in table.columns:
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name), column
            assert column.meaning, column.name


#: How a unit ends a column's name; an age is in years everywhere.
SUFFIXES = {"ppm": "_ppm", "mm3": "_mm3", "ml": "_ml", "Hz": "_hz", "years": "age"}


def test_measured_quantities_carry_their_unit_in_the_name():
    """Statistics of a table have the unit of what they are made from, and keep their own names."""
    for table in catalogue.TABLES.values():
        for column in table.columns:
            if column.unit and table not in catalogue.STATISTICS:
                assert column.name.endswith(SUFFIXES[column.unit]), (table.name, column.name)


def test_every_table_of_a_rule_is_in_the_catalogue_under_its_rule(rules):
    made = {
        Path(str(path)).stem: (name, output)
        for name, rule in rules.items()
        for output, path in rule.output._allitems()
        if str(path).endswith(".tsv") and Path(str(path)).parent.name == "tables"
    }
    assert made == {table.name: (table.rule, table.output) for table in catalogue.TABLES.values()}


def test_reference_of_the_tables_is_up_to_date():
    """`make reference` writes it anew."""
    text = reference.REFERENCE_PAGE.read_text(encoding="utf-8")
    assert text == reference.page()
    assert all(f"### `{name}.tsv`" in text for name in catalogue.TABLES)


def test_what_a_table_is_made_from_stands_before_it():
    known = {"participants", "roi_means", "roi_values"}
    for table in catalogue.STATISTICS:
        assert set(table.inputs) <= known, table.name
        known.add(table.name)


def test_every_printed_table_has_a_printer_and_every_printer_a_table():
    printed = {table.name: table.section for table in catalogue.TABLES.values() if table.section}
    of_checks = {name for name, section in printed.items() if section in content.CHECK_PRINTERS}
    assert set(printed) == set(content.ALL_PRINTERS) | of_checks
    assert set(content.CHECK_PRINTERS) <= set(printed.values()) <= set(catalogue.REPORT_SECTIONS)
    assert not of_checks & set(content.ALL_PRINTERS)


def test_every_further_table_is_explained_and_has_its_place_in_the_methods_text():
    optional = {table.name for table in catalogue.STATISTICS if table.optional}
    assert optional == {t.name for t in catalogue.STATISTICS if t.section == "further"}
    assert optional == {t.name for t in catalogue.STATISTICS if t.explanation}
    assert optional == set(extended_tables.METHODS)


#: Words of the default study that no text on every study may have.
DEFAULT_STUDY = re.compile(r"fourteen|seven|mRS|NIHSS|stroke|both groups|[Tt]wo groups differ")


def test_no_table_or_figure_speaks_of_the_default_study():
    texts = [t.question + t.explanation for t in catalogue.TABLES.values()]
    texts += [c.meaning for t in catalogue.TABLES.values() for c in t.columns]
    texts += [figure.title + figure.alt + figure.caption for figure in FIGURES.values()]
    texts += [path.read_text() for path in (ROOT / "workflow/report/archive").glob("*.rst")]
    assert [text for text in texts if DEFAULT_STUDY.search(text)] == []


def test_figures_are_those_of_the_rules_and_their_captions_can_be_filled(rules):
    assert set(FIGURES) == {
        name for name in rules if name.startswith("figure") and name[-1].isdigit()
    }
    config = whole.configured()
    captions = {name: figure.caption_of(config) for name, figure in FIGURES.items()}
    assert captions["figure4"].startswith("mrs_admission against age;")
    assert not [text for text in captions.values() if "{" in text]


@pytest.mark.parametrize("further_tables", [[], list(catalogue.FURTHER)])
def test_a_cluster_plans_every_table(tmp_path, further_tables):
    """A rule between two rules of a group that is not in it would be refused."""
    command = [
        *(sys.executable, "-m", "snakemake", "-n", "--workflow-profile", "profiles/slurm"),
        *("--configfile", "config/small.yaml", "--config", f"output_dir={tmp_path}"),
        f"further_tables=[{','.join(further_tables)}]",
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert ("replicate_null" in done.stdout + done.stderr) == bool(further_tables)
