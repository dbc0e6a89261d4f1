"""Who may import whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "qsmstudy"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

# Lowest first; a part may import from itself and from those before it.
LAYERS = [
    {"errors", "__version__"},
    {"options"},
    {"physics", "anatomy"},
    {"dataset"},
    {"recon"},
    {"study"},
    {"regions"},
    {"stats"},
    {"figures", "paper", "truth"},
    {"report"},
    {"run"},
]
#: The simulation has a forward model of its own: no part of the analysis, so no inverse crime.
SIMULATION = {"simulate", "anatomy", "physics", "dataset", "errors", "options", "__version__"}


def part(path):
    relative = path.relative_to(PACKAGE).with_suffix("")
    return relative.parts[0] if relative.parts != ("__init__",) else ""


def imported(path):
    """Parts of the package, and other top-level packages, that a file imports anywhere."""
    ours, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "qsmstudy"
                else [node.module]
            )
        else:
            continue
        for name in names:
            parts = name.split(".")
            (ours if parts[0] == "qsmstudy" else others).add(
                parts[1] if parts[0] == "qsmstudy" and len(parts) > 1 else parts[0]
            )
    return ours, others


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_imports_only_lower_layers(path):
    own = part(path)
    ours, others = imported(path)
    assert "snakemake" not in others
    if own == "simulate":
        assert ours <= SIMULATION
        return
    if own == "run":  # sees the options of all parts, those of the simulation too
        ours -= {"simulate"}
    if own == "":
        return
    level = next(i for i, layer in enumerate(LAYERS) if own in layer)
    assert ours <= {own} | set().union(*LAYERS[:level])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_script_imports_simulation_only_to_simulate(path):
    ours, others = imported(path)
    assert "snakemake" not in others
    if not path.stem.startswith(("simulate_", "calibrate_")):
        assert "simulate" not in ours


@pytest.mark.parametrize(
    "path", [path for path in MODULES if "(Section):" in path.read_text()], ids=lambda p: p.stem
)
def test_module_that_declares_options_imports_the_standard_library_alone(path):
    ours, others = imported(path)
    assert others - {"qsmstudy"} <= sys.stdlib_module_names
    assert ours <= {"options", "errors", part(path)}


def test_configuration_is_checked_without_the_numerical_packages():
    """A study is planned where only Snakemake is installed."""
    code = "import qsmstudy.run.configuration as c; c.schema(); import sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "scipy", "nibabel", "matplotlib"} & set(loaded)


def test_only_the_options_of_the_simulation_are_seen_outside_it():
    for path in sorted(PACKAGE.glob("run/*.py")):
        text = path.read_text()
        assert text.count("qsmstudy.simulate") == text.count("qsmstudy.simulate import options")


#: Parts that a study does not need: only their own scripts import them.
NEIGHBOURS = {
    "qsmstudy.paper.audit": "audit_published",
    "qsmstudy.simulate.calibration": "calibrate_cohort",
}


@pytest.mark.parametrize("part", NEIGHBOURS)
def test_audit_and_calibration_are_imported_by_their_own_scripts_alone(part):
    folder = PACKAGE.joinpath(*part.split(".")[1:])
    importing = {
        path.stem
        for path in (*MODULES, *SCRIPTS)
        if folder not in path.parents and re.search(rf"\b{re.escape(part)}\b|{part_import(part)}",
                                                    path.read_text())
    }  # fmt: skip
    assert importing == {NEIGHBOURS[part]}


def part_import(part):
    """Return the other way to import a subpackage, as a regular expression."""
    package, _, name = part.rpartition(".")
    return rf"from {re.escape(package)} import [^\n]*\b{name}\b"
