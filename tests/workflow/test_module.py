"""Another workflow imports this one, twice: with and without a prefix."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qsmstudy.dataset import bids

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).resolve().parents[2]
IMPORTING = """
given = {{"roi_values": "values.tsv", "participants": "people.tsv"}}

module first:
    snakefile: {snakefile!r}
    config: given | {{"output_dir": "study"}}
    prefix: "one"

module second:
    snakefile: {snakefile!r}
    config: given | {{"output_dir": "two", "table3": {{"fdr": "bh"}}}}

use rule * from first as first_*
use rule * from second as second_*

rule all:
    default_target: True
    input:
        rules.first_table3.output.table,
        "two/tables/table3.tsv",
"""


def snakemake(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_module_and_one_with_a_prefix_run_and_then_have_nothing_to_do(tmp_path):
    cohort = ROOT / "resources" / "cohort"
    (tmp_path / "values.tsv").write_bytes((cohort / "roi_values.tsv").read_bytes())
    (tmp_path / "people.tsv").write_bytes((cohort / "participants.tsv").read_bytes())
    snakefile = str(ROOT / "workflow" / "Snakefile")
    (tmp_path / "Snakefile").write_text(IMPORTING.format(snakefile=snakefile))
    snakemake(tmp_path, "--cores", "1")
    published, usual = (
        bids.read_tsv(tmp_path / folder / "tables" / "table3.tsv")
        for folder in ("one/study", "two")
    )
    assert published["p"].equals(usual["p"])
    assert not published["p_fdr"].equals(usual["p_fdr"])  # a partial section is completed
    assert {"p", "p_welch"} <= set(published)
    for place in ("one/study", "two"):
        assert (tmp_path / place / "logs" / "table3.log").exists()
        assert (tmp_path / place / "benchmarks" / "table3.tsv").exists()
    assert not (tmp_path / "study").exists()
    assert "Nothing to be done" in snakemake(tmp_path, "--cores", "1", "--dry-run")
