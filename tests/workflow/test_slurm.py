"""The small study through a real Slurm of one node, by profiles/slurm: `make test-slurm`.

Needs root on a Debian-like machine; the packages are installed where they are missing. Asked for,
a Slurm that does not start is a failure, not a skip.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "slurm" / "slurm.sh"
pytestmark = pytest.mark.slurm

PROFILE = [
    "--workflow-profile",
    "profiles/slurm",
    "--slurm-status-command",  # there is no accounting here; a cluster's own is found by itself
    "squeue",
    "--slurm-init-seconds-before-status-checks",
    "2",
    "--latency-wait",
    "10",
]


@pytest.fixture(scope="module")
def slurm(checkout, tmp_path_factory):
    """A running Slurm; its environment."""
    folder = Path("/var/tmp") / f"qsmstudy-slurm-{os.getpid()}"
    folder.mkdir()
    try:
        done = subprocess.run(
            [SCRIPT, "start", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        checkout.env["SLURM_CONF"] = str(folder / "slurm.conf")
        yield checkout.env
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=False)
        shutil.rmtree(folder)


def ask(slurm, *words):
    return subprocess.run(words, env=slurm, capture_output=True, text=True, check=True).stdout


def slurm_jobs(slurm):
    """[(name, state, memory)] of all jobs that this Slurm has seen, in order."""
    text = ask(slurm, "squeue", "-h", "-a", "-t", "all", "-S", "i", "-o", "%i|%T|%m|%k")
    return [line.split("|") for line in text.splitlines()]


def into(out):
    return ["--config", f"output_dir={out}"]


def contents(out):
    """{path: bytes} of all results that two runs share: not their logs, times and report."""
    paths = {path.relative_to(out): path for path in out.rglob("*") if path.is_file()}
    apart = ("logs", "benchmarks", "report.html")
    return {name: p.read_bytes() for name, p in paths.items() if name.parts[0] not in apart}


def lasting(report):
    """Return a report without what tells its run: command, run times, output folder."""
    text = report.read_text(encoding="utf-8")
    for what in (
        r'<th scope="row">Command</th>[^\n]*',
        r'<table id="run-times".*?</table>',
        r"(?<=[\n>])output_dir: [^\n<]*",
    ):
        text, found = re.subn(what, "", text, flags=re.S)
        assert found == 1, what
    return text


def test_study_through_slurm_equals_the_local_run_byte_for_byte(checkout, slurm, study):
    before = len(slurm_jobs(slurm))
    begun = time.monotonic()
    checkout.snakemake(*PROFILE, *into("results/slurm"))
    took = time.monotonic() - begun
    jobs = slurm_jobs(slurm)[before:]
    print(f"\nsmall study through Slurm: {len(jobs)} Slurm jobs, {took:.0f} s")
    print(ask(slurm, "squeue", "-a", "-t", "all", "-S", "i", "-o", "%i %T %m %M %k"))
    assert {state for _, state, *_ in jobs} == {"COMPLETED"}
    # One for the truth, one per scan, one for the tables, figures and report.
    assert len(jobs) == 1 + 6 + 1
    out = checkout.folder / "results" / "slurm"
    made, expected = contents(out), contents(study)
    assert set(made) == set(expected)
    assert not [str(name) for name in made if made[name] != expected[name]]
    assert lasting(out / "report.html") == lasting(study / "report.html")
    print(f"{len(made)} files equal byte for byte; the report but for command, times and folder")


def test_own_scans_through_slurm_are_checked_in_one_job_and_give_the_same_maps(
    checkout, slurm, study, tmp_path
):
    for sub in ("sub-01", "sub-02"):
        shutil.copytree(study / "bids" / sub, tmp_path / "bids" / sub)
    out = tmp_path / "out"
    before = len(slurm_jobs(slurm))
    words = ["--config", f"bids_dir={tmp_path / 'bids'}", f"output_dir={out}"]
    checkout.snakemake("chimaps", *PROFILE, *words, config=None)
    jobs = slurm_jobs(slurm)[before:]
    print("\n" + "\n".join(" ".join(job) for job in jobs))
    assert {state for _, state, *_ in jobs} == {"COMPLETED"}
    assert len(jobs) == 1 + 2
    made = sorted(out.rglob("*_Chimap.nii.gz"))
    assert [path.name[:6] for path in made] == ["sub-01", "sub-02"]
    for path in made:
        assert path.read_bytes() == (study / path.relative_to(out)).read_bytes(), path.name


def test_job_killed_for_memory_is_retried_with_more(checkout, slurm):
    before = len(slurm_jobs(slurm))
    # 100 MB are too little for Python and Snakemake alone; the profile's retries ask for more.
    limit = ["--set-resources", "audit_published:mem_mb=100*12**(attempt-1)"]
    done = checkout.snakemake("audit", *PROFILE, *limit, *into("results/memory"))
    jobs = slurm_jobs(slurm)[before:]
    print("\n" + "\n".join(" ".join(job[:3]) for job in jobs))
    assert [(state, memory) for _, state, memory, _ in jobs] == [
        ("FAILED", "100M"),
        ("COMPLETED", "1200M"),
    ]
    assert "Trying to restart job" in done.stdout
    log = Path(slurm["SLURM_CONF"]).with_name("slurmd.log").read_text()
    assert re.search(r"exceeded.*memory limit", log, re.I), log[-3000:]


def test_cancelled_run_leaves_no_job_and_resumes(checkout, slurm, study):
    out = checkout.folder / "results" / "cancelled"
    command = ["chimaps", *PROFILE, "--jobs", "2", *into("results/cancelled")]
    run = subprocess.Popen(
        checkout.command(*command), cwd=checkout.folder, env=checkout.env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 900
    while not list(out.rglob("*_Chimap.nii.gz")):
        assert run.poll() is None, run.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    text, _ = run.communicate(timeout=300)
    assert run.returncode != 0, text
    while ask(slurm, "squeue", "-h"):
        assert time.monotonic() < deadline, "a cancelled job is still in Slurm's queue"
        time.sleep(0.5)
    states = {state for _, state, *_ in slurm_jobs(slurm)}
    assert "CANCELLED" in states
    left = checkout.planned("chimaps", *into("results/cancelled"))
    assert left, "nothing was left to resume: the run was cancelled too late"
    checkout.snakemake(*command)
    print(f"\ncancelled with {left.get('invert_dipole', 0)} of 6 maps to do; resumed")
    for path in sorted(out.rglob("*_Chimap.nii.gz")):
        assert path.read_bytes() == (study / path.relative_to(out)).read_bytes(), path.name
    assert len(list(out.rglob("*_Chimap.nii.gz"))) == 6
    assert not list(out.rglob(".*.nii.gz")), "a half-written file was left behind"
