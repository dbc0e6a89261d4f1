"""What Snakemake's scheduler does beside the study's work."""

import re

import pytest

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(("hooks", "limits"), [([], set()), (["--no-hooks"], {"100"})])
def test_local_run_counts_no_jobs_per_second(checkout, tmp_path, hooks, limits):
    # Without hooks Snakemake's own limit of 100 stands: the run tells whether one is in force.
    words = ["--verbose", *hooks, "--cores", "1", "--config", f"output_dir={tmp_path}"]
    text = checkout.snakemake(*words, "--", "audit", config=None).stdout
    left = re.findall(r"Resources after job selection: .*'_job_count': (\d+)", text)
    assert len(left) == 2  # the audit, and the target that names it
    assert {n for n in left if int(n) < 1000} == limits
