"""A job starts quickly: it imports what its step needs and no more."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Steps that run once per scan, so that what they import is paid thousands of times.
PER_SCAN = (
    "fit_field",
    "unwrap_phase",
    "extract_brain",
    "remove_background",
    "invert_dipole",
)
#: Packages that cost 0.2 to 1 CPU seconds each and that no image step uses.
HEAVY = (
    *("pandas", "scipy.stats", "matplotlib", "seaborn", "sklearn", "statsmodels", "nilearn"),
    *("skimage", "pingouin", "jinja2", "snakemake"),
)
PROBE = """
import runpy, sys
for path in sys.argv[1].split(","):
    runpy.run_path(path, run_name="probe")
loaded = [name for name in sys.argv[2].split(",") if name in sys.modules]
sys.exit(f"imported: {loaded}" if loaded else 0)
"""


def test_steps_of_a_scan_import_nothing_heavy_that_they_do_not_use():
    paths = ",".join(str(ROOT / "scripts" / f"{name}.py") for name in PER_SCAN)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, paths, ",".join(HEAVY)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
