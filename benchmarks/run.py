"""Measure the reconstruction: solvers, accuracy, the whole participant, and how cost grows.

    python benchmarks/run.py solvers    fast against published solver (--quick: small phantom only)
    python benchmarks/run.py accuracy   against the simulated truth of a study that ran (--results)
    python benchmarks/run.py cost       CPU and memory of one participant at three sizes

`make bench` runs all three after the default study. Tables and pictures go to --out.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
import accuracy
import matplotlib.pyplot as plt
import solvers
from solvers import ROOT, Case

from qsmstudy.dataset import bids, images

#: Matrix and voxel size of the three sizes: in-plane resolution changes, the head stays.
SIZES = {
    "1.8 mm": ([122, 122, 72], [1.8, 1.8, 2.0]),
    "1.2 mm": ([184, 184, 72], [1.2, 1.2, 2.0]),
    "0.9 mm": ([244, 244, 72], [0.9, 0.9, 2.0]),
}
STEPS = {
    "simulate_scan": "{out}/truth/sub-01_mask.nii.gz",
    "fit_field": "{anat}_R2starmap.nii.gz",
    "unwrap_phase": "{anat}_desc-total_fieldmap.nii.gz",
    "extract_brain": "{anat}_desc-brain_mask.nii.gz",
    "remove_background": "{anat}_desc-local_fieldmap.nii.gz",
    "invert_dipole": "{anat}_Chimap.nii.gz",
}
RECONSTRUCTION = list(STEPS)[1:]


def main() -> None:
    """Parse the command line and run the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["solvers", "accuracy", "cost", "all"])
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="of the default study"
    )
    parser.add_argument("--compare", type=Path, help="the same scans by another pipeline")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/reconstruction"))
    parser.add_argument("--quick", action="store_true", help="the small phantom only")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"load average {os.getloadavg()[0]:.1f}")
    if given.part in ("solvers", "all"):
        measure_solvers(given)
    if given.part in ("accuracy", "all"):
        measure_accuracy(given)
    if given.part in ("cost", "all"):
        measure_cost(given)


def measure_solvers(given: argparse.Namespace) -> None:
    """Compare the solvers on the toolbox's phantom and on a head of the study."""
    stored = np.load(solvers.TOOLBOX)
    phantom = solvers.toolbox_phantom()
    chi = np.zeros(phantom.scan.mask.shape, dtype=np.float32)
    chi[phantom.scan.mask] = stored["true_chi"]
    heads = [(phantom, chi)]
    if not given.quick:
        heads.append(head(given.results))
    table = solvers.table(heads)
    bids.write_tsv(given.out / "solvers.tsv", table)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for phantom_name, part in table.groupby("phantom", sort=False):
        left.scatter(part["rms_ppb"], part["gn_rms_ppb"], label=phantom_name)
        for column, marker, how in (("cpu_ratio", "o", "ours"), ("plain_ratio", "x", "plainly")):
            right.scatter(
                part["rms_ppb"], part[column], marker=marker, label=f"{phantom_name}, {how}"
            )
    left.set(xscale="log", yscale="log", xlabel="fast solver: RMS to the minimiser [ppb]",
             ylabel="published solver: RMS [ppb]")  # fmt: skip
    right.set(xscale="log", xlabel="fast solver: RMS to the minimiser [ppb]",
              ylabel="CPU, published (ours, or written plainly) over fast")  # fmt: skip
    left.legend()
    right.legend()
    figure.savefig(given.out / "solvers.png", dpi=120)


def head(results: Path) -> tuple[Case, np.ndarray]:
    """Return the first participant's scan as the study inverts it, to be cropped, and its truth."""
    sub = accuracy.participants(results)[0]
    scan, chi, labels, _ = accuracy.load(results, sub)
    anat = results / "derivatives" / "qsm" / sub / "anat"
    removed = images.load(anat / f"{sub}_desc-local_fieldmap.nii.gz").values
    mask = images.load(anat / f"{sub}_desc-field_mask.nii.gz", dtype=bool).values
    fluid = None if scan.fluid is None else scan.fluid & mask
    scan = scan._replace(local_field=np.where(mask, removed, 0), mask=mask, fluid=fluid)
    phase = scan.as_phase(echo_spacing=solvers.SPACING)
    return Case("head 0.9 mm", phase, labels, crop=True), chi


def measure_accuracy(given: argparse.Namespace) -> None:
    """Compare with the truth: inversion alone on four participants, the chain on all."""
    names = accuracy.participants(given.results)
    alone = pd.DataFrame(
        [row for sub in names[:4] for row in accuracy.forward_inverse(given.results, sub)]
    )
    print("\nTrue local field in, without noise:\n", alone.round(3).to_string(index=False))
    tilted = pd.DataFrame(
        [accuracy.tilt(given.results, sub, *o) for sub in names[:4] for o in ((), ("consensus",))]
    )
    print("\nThe head tilted by 20 degrees:\n", tilted.round(2).to_string(index=False))
    bids.write_tsv(given.out / "forward_inverse.tsv", alone)
    chains = {"chain": given.results} | ({"compare": given.compare} if given.compare else {})
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    for offset, (name, folder) in enumerate(chains.items()):
        table = accuracy.chain(folder, truth=given.results / "truth")
        print(f"\nWhole chain, {folder}:\n", table.round(3).to_string(index=False))
        bids.write_tsv(given.out / f"{name}.tsv", table)
        axes.bar(
            np.arange(len(table)) + 0.4 * offset, table["error_sd_ppb"], 0.4, label=str(folder)
        )
    axes.set_xticks(np.arange(len(table)), table["nucleus"], rotation=60)
    axes.set_ylabel("SD of the error per participant\nafter gain and offset [ppb]")
    axes.legend()
    figure.savefig(given.out / "chain.png", dpi=120)


def measure_cost(given: argparse.Namespace) -> None:
    """Time every step of one participant at three sizes; fit how the cost grows."""
    rows = []
    for name, (matrix, voxel) in SIZES.items():
        out = given.out.resolve() / f"cost {name}"
        config = given.out / "size.yaml"
        config.write_text(f"simulate_scan: {{matrix: {matrix}, voxel_size_mm: {voxel}}}\n")
        made = [step_cost(out, config, step) for step in STEPS]
        row: dict[str, object] = {"size": name, "voxels": int(np.prod(matrix))}
        row |= {f"{step}_cpu_s": cpu for step, (cpu, _) in zip(STEPS, made, strict=True)}
        row["reconstruction_cpu_s"] = sum(row[f"{step}_cpu_s"] for step in RECONSTRUCTION)
        row["peak_mb"] = max(peak for _, peak in made[1:])
        rows.append(row)
        print(pd.Series(row).to_string(), "\n", flush=True)
    table = pd.DataFrame(rows)
    bids.write_tsv(given.out / "cost.tsv", table)
    power = np.polyfit(np.log(table["voxels"]), np.log(table["reconstruction_cpu_s"]), 1)[0]
    print(f"reconstruction grows as voxels to the power {power:.2f}")
    figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
    axes.plot(table["voxels"] / 1e6, table["reconstruction_cpu_s"], "o-")
    axes.set(xlabel="voxels [million]", ylabel="reconstruction [CPU s]", xlim=0, ylim=0)
    figure.savefig(given.out / "cost.png", dpi=120)


def step_cost(out: Path, config: Path, step: str) -> tuple[float, float]:
    """Run one rule of sub-01; return its job's CPU seconds and peak memory [MB]."""
    anat = f"{out}/derivatives/qsm/sub-01/anat/sub-01"
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all",
         "--workflow-profile", "none", "--configfile", str(config), "--config",
         f"output_dir={out}", "--", STEPS[step].format(out=out, anat=anat)],
        cwd=ROOT, check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    noted = next((out / "benchmarks" / step).rglob("*.tsv"))
    row = pd.read_csv(noted, sep="\t").iloc[0]
    return float(row["cpu_time"]), float(row["max_rss"])


if __name__ == "__main__":
    main()
