"""Write envs/*.yaml (conda) from pyproject.toml and the locks, so that the two never differ.

Run by `make lock`; a test compares the files. The direct dependencies are pinned to the
versions of the lock; conda resolves what those need.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Distributions whose conda name differs from their name on PyPI.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}
#: Distributions that conda channels do not carry.
PIP_ONLY = {"axe-playwright-python", "bids-validator-deno", "dcm2niix", "playwright", "warpkit"}


def locked(lock: Path) -> dict[str, str]:
    """Return {distribution: version} of a lock, for the oldest supported Python."""
    pins: dict[str, str] = {}
    for line in lock.read_text().splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", line)
        if match and match[1] not in pins:
            pins[match[1]] = match[2]
    return pins


def names(requirements: list[str]) -> list[str]:
    """Return the distributions' names of a list of requirements."""
    found = (re.match(r"[A-Za-z0-9_.-]+", item) for item in requirements)
    return sorted(match[0].lower() for match in found if match)


def environment(name: str, wanted: list[str], pins: dict[str, str]) -> str:
    """Return the text of one conda environment."""
    lines = [
        "# Made by envs/generate.py from the lock; do not edit.",
        f"name: {name}",
        "channels: [conda-forge, bioconda, nodefaults]",
        "dependencies:",
        "  - python >=3.11,<3.14",
        *(f"  - {CONDA_NAMES.get(n, n)} ={pins[n]}" for n in wanted if n not in PIP_ONLY),
    ]
    if pip := [n for n in wanted if n in PIP_ONLY]:
        lines += ["  - pip", "  - pip:", *(f"      - {n}=={pins[n]}" for n in pip)]
    return "\n".join(lines) + "\n"


def environments() -> dict[str, str]:
    """Return {file name: text} of all conda environments."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run = names(project["dependencies"])
    dev = names(project["optional-dependencies"]["dev"])
    return {
        "qsmstudy.yaml": environment("qsmstudy", run, locked(ROOT / "envs" / "requirements.lock")),
        "dev.yaml": environment(
            "qsmstudy-dev", run + dev, locked(ROOT / "envs" / "requirements-dev.lock")
        ),
    }


if __name__ == "__main__":
    for file_name, text in environments().items():
        (ROOT / "envs" / file_name).write_text(text)
