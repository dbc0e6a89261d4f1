"""Time and memory of planning, and of running nothing, for many participants.

    python benchmarks/scale.py [64 1000 10000]

Writes a BIDS tree of empty image files (Snakemake looks at names and dates only), plans the maps
and the whole study over it, and prints CPU time, wall time and peak memory, with the machine's
load, as rows of a table. Nothing of the study itself runs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIDECAR = '{"EchoTime": 0.00%d, "MagneticFieldStrength": 3}'
GROUPS = ("AIS", "HC")
FACTORS = ["smoking", "drinking", "hypertension", "hyperlipidemia", "diabetes"]
SCORES = ["nihss_admission", "nihss_discharge", "mrs_admission", "mrs_discharge"]
COLUMNS = ["participant_id", "group", "age", "sex", *FACTORS, *SCORES]


def make_dataset(root: Path, participants: int, *, echoes: int) -> None:
    """Write a dataset whose images are empty files: names, sidecars, labels, participants."""
    raters = root / "derivatives" / "raters"
    raters.mkdir(parents=True)
    shutil.copy(ROOT / "resources" / "labels.tsv", raters / "dseg.tsv")
    rows = ["\t".join(COLUMNS)]
    for number in range(1, participants + 1):
        name = f"sub-{number:05d}"
        anat, drawn = root / name / "anat", raters / name / "anat"
        anat.mkdir(parents=True)
        drawn.mkdir(parents=True)
        for echo in range(1, echoes + 1):
            for part in ("mag", "phase"):
                stem = anat / f"{name}_echo-{echo}_part-{part}_MEGRE"
                stem.with_suffix(".nii.gz").touch()
                stem.with_suffix(".json").write_text(SIDECAR % echo)
        for rater in "AB":
            (drawn / f"{name}_desc-rater{rater}_dseg.nii.gz").touch()
        rows.append("\t".join([name, GROUPS[number % 2], "60", "M", *["no"] * 5, *["1"] * 4]))
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")


def measure(*words: str, folder: Path) -> tuple[float, float, float, str]:
    """Run Snakemake; return CPU and wall seconds, peak memory [MB] and its output."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", *words],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if run.returncode:
        raise SystemExit(f"snakemake {' '.join(words)} failed:\n{text[-3000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.monotonic() - begun, usage.ru_maxrss / 1024, text


def jobs(text: str) -> str:
    """Return the total of a dry run's job statistics."""
    found = [line.split()[1] for line in text.splitlines() if line.startswith("total")]
    return found[0] if found else "0"


def main() -> None:
    """Measure each size and print a row for each plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("participants", nargs="*", type=int, default=[64, 1000, 10000])
    parser.add_argument("--echoes", type=int, default=5)
    options = parser.parse_args()
    print("| participants | plan | jobs | CPU s | wall s | memory MB | load |")
    print("|---|---|---|---|---|---|---|")
    for participants in options.participants:
        with tempfile.TemporaryDirectory(prefix="qsmstudy-scale-") as folder:
            dataset = Path(folder) / "bids"
            make_dataset(dataset, participants, echoes=options.echoes)
            common = ["--dry-run", "--quiet", "rules", "--config", f"bids_dir={dataset}"]
            common += [f"output_dir={folder}/out", "--"]
            first = f"{folder}/out/derivatives/qsm/sub-00001/anat/sub-00001_Chimap.nii.gz"
            for plan, words in (
                ("one map", [*common, first]),
                ("maps", [*common, "chimaps"]),
                ("maps, a tenth of them", ["--batch", "chimaps=1/10", *common, "chimaps"]),
                ("whole study", common),
            ):
                cpu, wall, memory, text = measure(*words, folder=Path(folder))
                load = os.getloadavg()[0]
                row = [f"{participants:,}", plan, jobs(text), f"{cpu:.1f}", f"{wall:.1f}"]
                print(f"| {' | '.join([*row, f'{memory:.0f}', f'{load:.1f}'])} |", flush=True)


if __name__ == "__main__":
    main()
