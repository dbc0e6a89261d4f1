"""CPU time, memory and disk of one full-size participant, from simulation to measurement.

    python benchmarks/participant.py [output_dir]

Runs the rules of participant sub-01 of the default study on one core in a fresh folder and
prints a table. Times are process CPU seconds, children and interpreter starts included; the
first run on a machine also compiles (numba) and says so.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = (
    "simulate_scan", "fit_field", "unwrap_phase", "extract_brain", "remove_background",
    "invert_dipole", "measure_rois", "draw_mosaic",
)  # fmt: skip
SUB = "sub-01"


def run(out: Path, *targets: str) -> tuple[float, float, float]:
    """Make targets; return CPU seconds, wall seconds and the largest process [MB]."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all",
         "--workflow-profile", "none",
         "--config", f"output_dir={out}", "--", *targets],
        cwd=ROOT, check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - start, after.ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()).resolve()
    anat = f"{out}/derivatives/qsm/{SUB}/anat/{SUB}"
    targets = {
        "simulate_scan": f"{out}/truth/{SUB}_mask.nii.gz",
        "fit_field": f"{anat}_R2starmap.nii.gz",
        "unwrap_phase": f"{anat}_desc-total_fieldmap.nii.gz",
        "extract_brain": f"{anat}_desc-brain_mask.nii.gz",
        "remove_background": f"{anat}_desc-local_fieldmap.nii.gz",
        "invert_dipole": f"{anat}_Chimap.nii.gz",
        "measure_rois": f"{out}/measurements/{SUB}/{SUB}_rater-A.tsv",
        "draw_mosaic": f"{out}/figures/qc/{SUB}/{SUB}.png",
    }
    run(out, f"{out}/truth/{SUB}.json")
    idle, _, _ = run(out, f"{out}/truth/{SUB}.json")  # Snakemake itself, with nothing to do
    print(f"load average {os.getloadavg()[0]:.1f}; Snakemake's own {idle:.1f} s taken off")
    print(f"{'rule':20}{'CPU s':>8}{'wall s':>8}{'peak so far MB':>16}")
    total, report = 0.0, {}
    for rule in RULES:
        cpu, wall, peak = run(out, targets[rule])
        total += cpu - idle
        report[rule] = {"cpu_s": round(cpu - idle, 1), "peak_so_far_mb": round(peak)}
        print(f"{rule:20}{cpu - idle:8.1f}{wall:8.1f}{peak:16.0f}")
    disk = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6
    print(f"{'together':20}{total:8.1f}; disk {disk:.0f} MB")
    (out / "participant.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
