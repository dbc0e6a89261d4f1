"""A copy of the repository in which the small study runs once for all workflow tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = (
    "Snakefile",
    "config",
    "envs",
    "profiles",
    "resources",
    "scripts",
    "src",
    "workflow",
)


class Checkout:
    """A working copy of the repository and the commands to run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = os.environ | {"PYTHONPATH": str(folder / "src"), "MPLBACKEND": "Agg"}

    def command(self, *words, config="config/small.yaml"):
        overlay = ["--configfile", config] if config else []
        return [sys.executable, "-m", "snakemake", *words, *overlay]

    def snakemake(self, *words, check=True, **options):
        done = subprocess.run(
            self.command(*words, **options),
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"snakemake {' '.join(words)} failed:\n{done.stdout[-6000:]}")
        return done

    def planned(self, *words, **options):
        """Return {rule: number of jobs} that a dry run would start."""
        text = self.snakemake(*words, "--dry-run", "--quiet", "rules", **options).stdout
        stats = re.search(r"Job stats:\njob\s+count\n[-\s]+\n(.*?)\n\n", text, re.S)
        jobs = dict(line.split() for line in stats[1].splitlines()) if stats else {}
        return {name: int(n) for name, n in jobs.items() if name not in ("total", "all")}

    def edit(self, file, old, new):
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) >= 1, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a study with spaces and ü")
    # What numba has compiled comes along; files that another process is writing there do not.
    ignored = shutil.ignore_patterns("*.pyc*", "*.tmp.*", "*.egg-info")
    for name in KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return Checkout(folder)


@pytest.fixture(scope="session")
def study(checkout):
    """The results folder of the small study, run on two cores."""
    checkout.snakemake("--cores", "2", "--quiet", "rules")
    return checkout.folder / "results" / "small"
