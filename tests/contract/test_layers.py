"""Who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "qsmstudy"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

# Lowest first; a module may import from its own layer and those before it.
LAYERS = [
    {"errors"},
    {"physics", "template"},
    {"bids", "nifti"},
    {"scans", "protocol"},
    {"images", "stray", "accounting"},
    {"dicom"},
    {"fourier"},
    {"solvers"},
    {"recon"},
    {"referencing"},
    {"stats", "roi", "quality", "decisions"},
    {"scorecard", "conclusions", "tabulation", "validation", "audit", "figures"},
    {"atlas", "label_overlap"},
    {"report"},
]
FREE = {
    "job",
    "progress",
    "provenance",
    "record",
    "settings",
    "derivative",
}  # they serve scripts and the workflow, not the science


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
        assert ours <= {
            "simulate",
            "physics",
            "bids",
            "images",
            "errors",
            "template",
            "__version__",
        }
        return
    assert "simulate" not in ours
    if own in FREE or own == "":
        return
    level = next(i for i, layer in enumerate(LAYERS) if own in layer)
    allowed = set().union(*LAYERS[: level + 1])
    if own == "report":  # it states versions and commits
        allowed |= {"provenance", "__version__"}
    assert ours <= allowed


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_script_imports_simulation_only_to_simulate(path):
    ours, others = imported(path)
    assert "snakemake" not in others
    if not path.stem.startswith(("simulate_", "calibrate_")):
        assert "simulate" not in ours
