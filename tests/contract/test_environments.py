"""The locks, the conda environments and what is installed say the same."""

import runpy
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GENERATE = runpy.run_path(str(ROOT / "envs" / "generate.py"))


@pytest.mark.parametrize("name", ["qsmstudy.yaml", "dev.yaml"])
def test_conda_environment_equals_lock(name):
    assert (ROOT / "envs" / name).read_text() == GENERATE["environments"]()[name]


def test_conda_environment_names_every_direct_dependency():
    text = yaml.safe_load((ROOT / "envs" / "qsmstudy.yaml").read_text())
    project = GENERATE["tomllib"].loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(text["dependencies"]) == 1 + len(GENERATE["names"](project["dependencies"]))


def test_development_lock_contains_the_study_lock():
    study = GENERATE["locked"](ROOT / "envs" / "requirements.lock")
    development = GENERATE["locked"](ROOT / "envs" / "requirements-dev.lock")
    assert study.items() <= development.items()
    romeo = GENERATE["locked"](ROOT / "envs" / "requirements-romeo.lock")
    assert study.items() <= romeo.items() <= development.items()
    atlas = GENERATE["locked"](ROOT / "envs" / "requirements-atlas.lock")
    assert study.items() <= atlas.items() <= development.items()
    slurm = GENERATE["locked"](ROOT / "envs" / "requirements-slurm.lock")
    assert study.items() <= slurm.items() <= development.items()


def test_every_locked_line_has_hashes():
    locks = list((ROOT / "envs").glob("requirements*.lock"))
    assert len(locks) == 5
    for path in locks:
        lines = path.read_text().splitlines()
        starts = [i for i, line in enumerate(lines) if "==" in line]
        assert starts
        assert all("--hash=sha256:" in lines[i + 1] for i in starts)


def test_installed_versions_are_the_locked_ones():
    project = GENERATE["tomllib"].loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = GENERATE["locked"](ROOT / "envs" / "requirements.lock")
    wanted = GENERATE["names"](project["dependencies"])
    assert {n: metadata.version(n) for n in wanted} == {n: pins[n] for n in wanted}
