"""What Snakemake's scheduler does beside the study's work."""

import re

import pytest

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(("hooks", "limits"), [([], set()), (["--no-hooks"], {"100"})])
def test_local_run_counts_no_jobs_per_second(checkout, tmp_path, hooks, limits):
    # Without hooks Snakemake's own limit of 100 stands: the run tells whether one is in force.
    words = ["--verbose", *hooks, "--cores", "1", "--config", f"output_dir={tmp_path}"]
    made = tmp_path / "derivatives/qsm/dataset_description.json"
    text = checkout.snakemake(*words, "--", str(made), config=None).stdout
    left = re.findall(r"Resources after job selection: .*'_job_count': (\d+)", text)
    assert len(left) == 1  # the one job
    assert {n for n in left if int(n) < 1000} == limits
